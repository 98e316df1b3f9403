#include "arc/io/tiered_store.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "arc/io/object_group.h"

namespace arc {
namespace {

std::string RootOf(const ObjectStore& store) {
  std::string uri = store.UriOf("x");
  uri.resize(uri.size() - 1);
  return uri;
}

Error Named(const std::string& cold_name, Error error) {
  switch (error.kind) {
    case ErrorKind::kUnavailable:
    case ErrorKind::kTimeout:
    case ErrorKind::kUnauthenticated:
    case ErrorKind::kPermissionDenied: return Unavailable(cold_name + " fails: " + error.message);
    default: return WithContext(std::move(error), cold_name);
  }
}

class ColdReader : public ObjectReader {
 public:
  ColdReader(std::shared_ptr<ObjectReader> reader, std::string cold_name)
      : reader_(std::move(reader)), cold_name_(std::move(cold_name)) {}
  Result<size_t> ReadAt(int64_t offset, std::span<uint8_t> bytes) override {
    auto read = reader_->ReadAt(offset, bytes);
    if (read.ok()) return read;
    return Named(cold_name_, std::move(read).error());
  }
  int64_t bytes() const override { return reader_->bytes(); }
  bool is_remote() const override { return reader_->is_remote(); }

 private:
  const std::shared_ptr<ObjectReader> reader_;
  const std::string cold_name_;
};

class ColdWriter : public ObjectWriter {
 public:
  ColdWriter(std::unique_ptr<ObjectWriter> writer, std::string cold_name)
      : writer_(std::move(writer)), cold_name_(std::move(cold_name)) {}
  arrow::io::OutputStream& stream() override { return writer_->stream(); }
  Status Commit() override { return FromCold(writer_->Commit()); }
  Status CommitOverwrite() override { return FromCold(writer_->CommitOverwrite()); }

 private:
  Status FromCold(Status committed) const {
    if (committed.ok()) return committed;
    return Named(cold_name_, std::move(committed).error());
  }

  const std::unique_ptr<ObjectWriter> writer_;
  const std::string cold_name_;
};

// A group of the hot store; cold objects go through at once.
class TieredGroup : public ObjectGroup {
 public:
  TieredGroup(ObjectStore& both, std::unique_ptr<ObjectGroup> hot) : ObjectGroup(both), hot_(std::move(hot)) {}

  Status Sync() override { return hot_->Sync(); }
  Status PutIfAbsent(const std::string& key, std::string_view bytes) override {
    return Of(key).PutIfAbsent(key, bytes);
  }
  Status PutOverwrite(const std::string& key, std::string_view bytes) override {
    return Of(key).PutOverwrite(key, bytes);
  }
  Status PutOverwriteUnsynced(const std::string& key, std::string_view bytes) override {
    return Of(key).PutOverwriteUnsynced(key, bytes);
  }
  Result<std::unique_ptr<ObjectWriter>> Create(const std::string& key) override { return Of(key).Create(key); }
  Result<std::shared_ptr<ObjectReader>> Open(const std::string& key) override { return Of(key).Open(key); }
  Result<std::shared_ptr<ObjectReader>> OpenKnown(const std::string& key, int64_t bytes) override {
    return Of(key).OpenKnown(key, bytes);
  }
  Result<std::string> ReadAll(const std::string& key) override { return Of(key).ReadAll(key); }
  Status Delete(const std::string& key) override { return Of(key).Delete(key); }

 private:
  ObjectStore& Of(const std::string& key) { return IsColdKey(key) ? store_ : *hot_; }

  const std::unique_ptr<ObjectGroup> hot_;
};

}  // namespace

TieredStore::TieredStore(ObjectStore& hot, ObjectStore& cold)
    : hot_(hot), cold_(cold), cold_name_("the cold store " + RootOf(cold)) {}

Result<std::unique_ptr<TieredStore>> TieredStore::Over(ObjectStore& hot, ObjectStore& cold) {
  if (hot.KeyOf(cold.UriOf("x")).ok() || cold.KeyOf(hot.UriOf("x")).ok()) {
    return InvalidArgument("the cold store " + RootOf(cold) + " and the store of the tables " + RootOf(hot) +
                           " lie within each other; each needs a place, or an address, of its own");
  }
  return std::unique_ptr<TieredStore>(new TieredStore(hot, cold));
}

Result<std::unique_ptr<TieredStore>> TieredStore::Of(std::unique_ptr<ObjectStore> hot,
                                                     std::unique_ptr<ObjectStore> cold) {
  ARC_ASSIGN_OR_RETURN(auto tiered, Over(*hot, *cold));
  tiered->owned_hot_ = std::move(hot);
  tiered->owned_cold_ = std::move(cold);
  return tiered;
}

Error TieredStore::InCold(Error error) const { return Named(cold_name_, std::move(error)); }

Status TieredStore::PutIfAbsent(const std::string& key, std::string_view bytes) {
  return IsColdKey(key) ? FromCold(cold_.PutIfAbsent(KeyInCold(key), bytes)) : hot_.PutIfAbsent(key, bytes);
}

Status TieredStore::PutOverwrite(const std::string& key, std::string_view bytes) {
  return IsColdKey(key) ? FromCold(cold_.PutOverwrite(KeyInCold(key), bytes)) : hot_.PutOverwrite(key, bytes);
}

Status TieredStore::PutOverwriteUnsynced(const std::string& key, std::string_view bytes) {
  return IsColdKey(key) ? PutOverwrite(key, bytes) : hot_.PutOverwriteUnsynced(key, bytes);
}

Result<std::unique_ptr<ObjectWriter>> TieredStore::Create(const std::string& key) {
  if (!IsColdKey(key)) return hot_.Create(key);
  ARC_ASSIGN_OR_RETURN(auto writer, FromCold(cold_.Create(KeyInCold(key))));
  return std::make_unique<ColdWriter>(std::move(writer), cold_name_);
}

Result<std::shared_ptr<ObjectReader>> TieredStore::Open(const std::string& key) {
  if (!IsColdKey(key)) return hot_.Open(key);
  ARC_ASSIGN_OR_RETURN(auto reader, FromCold(cold_.Open(KeyInCold(key))));
  return std::make_shared<ColdReader>(std::move(reader), cold_name_);
}

Result<std::shared_ptr<ObjectReader>> TieredStore::OpenKnown(const std::string& key, int64_t bytes) {
  if (!IsColdKey(key)) return hot_.OpenKnown(key, bytes);
  ARC_ASSIGN_OR_RETURN(auto reader, FromCold(cold_.OpenKnown(KeyInCold(key), bytes)));
  return std::make_shared<ColdReader>(std::move(reader), cold_name_);
}

void TieredStore::Prefetch(const std::string& key, int64_t bytes) {
  if (IsColdKey(key)) {
    cold_.Prefetch(KeyInCold(key), bytes);
  } else {
    hot_.Prefetch(key, bytes);
  }
}

Result<std::string> TieredStore::ReadAll(const std::string& key) {
  return IsColdKey(key) ? FromCold(cold_.ReadAll(KeyInCold(key))) : hot_.ReadAll(key);
}

Status TieredStore::Delete(const std::string& key) {
  return IsColdKey(key) ? FromCold(cold_.Delete(KeyInCold(key))) : hot_.Delete(key);
}

std::unique_ptr<ObjectGroup> TieredStore::NewGroup() { return std::make_unique<TieredGroup>(*this, hot_.NewGroup()); }

Result<std::vector<ObjectInfo>> TieredStore::ListCold(const std::string& prefix) {
  ARC_ASSIGN_OR_RETURN(auto objects, FromCold(cold_.List(prefix)));
  for (auto& object : objects) object.key = ColdKey(object.key);
  return objects;
}

// Of the hot store's own objects none is called as a cold one is: whoever put it there, it has no key here.
Result<std::vector<ObjectInfo>> TieredStore::List(const std::string& prefix) {
  if (IsColdKey(prefix)) return ListCold(KeyInCold(prefix));
  ARC_ASSIGN_OR_RETURN(auto objects, hot_.List(prefix));
  if (!kColdFolder.starts_with(prefix)) return objects;
  std::erase_if(objects, [](const ObjectInfo& object) { return IsColdKey(object.key); });
  ARC_ASSIGN_OR_RETURN(auto cold, ListCold(""));
  objects.insert(objects.end(), std::make_move_iterator(cold.begin()), std::make_move_iterator(cold.end()));
  std::sort(objects.begin(), objects.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  return objects;
}

std::string TieredStore::UriOf(const std::string& key) const {
  return IsColdKey(key) ? cold_.UriOf(KeyInCold(key)) : hot_.UriOf(key);
}

Result<std::string> TieredStore::KeyOf(std::string_view uri) const {
  if (auto cold = cold_.KeyOf(uri); cold.ok()) return ColdKey(*cold);
  ARC_ASSIGN_OR_RETURN(auto key, hot_.KeyOf(uri));
  if (!IsColdKey(key)) return key;
  return InvalidArgument(std::string(uri) + " is in a folder of the store that is reserved");
}

Result<int> TieredStore::CleanTemporaries() {
  ARC_ASSIGN_OR_RETURN(const int hot, hot_.CleanTemporaries());
  ARC_ASSIGN_OR_RETURN(const int cold, FromCold(cold_.CleanTemporaries()));
  return hot + cold;
}

}  // namespace arc
