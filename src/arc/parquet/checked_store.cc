#include "arc/parquet/checked_store.h"

#include <mutex>
#include <utility>

#include "arc/parquet/page_checks.h"

namespace arc {
namespace {

constexpr std::string_view kSuffix = ".parquet";

class CheckedReader : public ObjectReader {
 public:
  CheckedReader(std::string key, std::shared_ptr<ObjectReader> file, std::shared_ptr<PageChecks> checks)
      : key_(std::move(key)), file_(std::move(file)), checks_(std::move(checks)) {}

  Result<size_t> ReadAt(int64_t offset, std::span<uint8_t> bytes) override {
    ARC_ASSIGN_OR_RETURN(const size_t count, file_->ReadAt(offset, bytes));
    ARC_ASSIGN_OR_RETURN(const auto pages, Pages());
    ARC_RETURN_IF_ERROR(pages->Check(file_, offset, bytes.first(count)));
    return count;
  }
  int64_t bytes() const override { return file_->bytes(); }
  bool is_remote() const override { return file_->is_remote(); }

 private:
  Result<std::shared_ptr<FilePages>> Pages() {
    std::lock_guard lock(mutex_);
    if (pages_ == nullptr) {
      ARC_ASSIGN_OR_RETURN(pages_, checks_->Of(key_, file_));
    }
    return pages_;
  }

  const std::string key_;
  const std::shared_ptr<ObjectReader> file_;
  const std::shared_ptr<PageChecks> checks_;
  std::mutex mutex_;
  std::shared_ptr<FilePages> pages_;  // once something was read
};

}  // namespace

CheckedStore::CheckedStore(ObjectStore& store)
    : store_(store), checks_(std::make_shared<PageChecks>(kRememberedChunks)) {}

CheckedStore::~CheckedStore() = default;

Result<std::shared_ptr<ObjectReader>> CheckedStore::Open(const std::string& key) {
  ARC_ASSIGN_OR_RETURN(auto file, store_.Open(key));
  if (!key.ends_with(kSuffix)) return file;
  return std::make_shared<CheckedReader>(key, std::move(file), checks_);
}

Result<std::shared_ptr<ObjectReader>> CheckedStore::OpenKnown(const std::string& key, int64_t bytes) {
  ARC_ASSIGN_OR_RETURN(auto file, store_.OpenKnown(key, bytes));
  if (!file->is_remote() && file->bytes() != bytes) {
    return Corruption("data file " + key + " is damaged: it has " + std::to_string(file->bytes()) + " bytes, not " +
                      std::to_string(bytes));
  }
  if (!key.ends_with(kSuffix)) return file;
  return std::make_shared<CheckedReader>(key, std::move(file), checks_);
}

}  // namespace arc
