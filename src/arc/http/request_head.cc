#include "arc/http/request_head.h"

#include <boost/beast/http/error.hpp>

namespace arc {
namespace {

namespace beast_http = boost::beast::http;

// More fields than this are an attack, not a client.
constexpr size_t kMaxFields = 100;

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

Method MethodOf(beast_http::verb verb) {
  switch (verb) {
    case beast_http::verb::get: return Method::kGet;
    case beast_http::verb::head: return Method::kHead;
    case beast_http::verb::post: return Method::kPost;
    case beast_http::verb::put: return Method::kPut;
    case beast_http::verb::patch: return Method::kPatch;
    case beast_http::verb::delete_: return Method::kDelete;
    case beast_http::verb::options: return Method::kOptions;
    default: return Method::kOther;
  }
}

}  // namespace

std::string_view MethodName(Method method) {
  switch (method) {
    case Method::kGet: return "GET";
    case Method::kHead: return "HEAD";
    case Method::kPost: return "POST";
    case Method::kPut: return "PUT";
    case Method::kPatch: return "PATCH";
    case Method::kDelete: return "DELETE";
    case Method::kOptions: return "OPTIONS";
    case Method::kOther: return "OTHER";
  }
  return "OTHER";
}

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (Lower(a[i]) != Lower(b[i])) return false;
  }
  return true;
}

void RequestHead::Clear() {
  method_ = Method::kOther;
  version_ = 11;
  target_size_ = 0;
  arena_.clear();
  fields_.clear();
}

void RequestHead::SetRequestLine(Method method, std::string_view target, int version) {
  method_ = method;
  version_ = version;
  target_size_ = target.size();
  arena_.assign(target);
}

void RequestHead::AddField(std::string_view name, std::string_view value) {
  Field field{static_cast<uint32_t>(arena_.size()), static_cast<uint32_t>(name.size()), 0,
              static_cast<uint32_t>(value.size())};
  arena_.append(name);
  field.value_at = static_cast<uint32_t>(arena_.size());
  arena_.append(value);
  fields_.push_back(field);
}

std::string_view RequestHead::query() const {
  auto at = target().find('?');
  return at == std::string_view::npos ? std::string_view() : target().substr(at + 1);
}

int RequestHead::Index(std::string_view name) const {
  for (size_t i = 0; i < fields_.size(); ++i) {
    const Field& field = fields_[i];
    if (field.name_size == name.size() && EqualIgnoringCase({arena_.data() + field.name_at, field.name_size}, name)) {
      return static_cast<int>(i);
    }
  }
  return -1;
}

std::string_view RequestHead::Find(std::string_view name) const {
  int at = Index(name);
  if (at < 0) return {};
  const Field& field = fields_[static_cast<size_t>(at)];
  return {arena_.data() + field.value_at, field.value_size};
}

void HeadParser::Sink::on_request_impl(beast_http::verb verb, View, View target, int version, Code&) {
  head_->SetRequestLine(MethodOf(verb), {target.data(), target.size()}, version);
}

void HeadParser::Sink::on_field_impl(beast_http::field, View name, View value, Code& code) {
  if (head_->fields() >= kMaxFields) {
    code = beast_http::error::header_limit;
    return;
  }
  head_->AddField({name.data(), name.size()}, {value.data(), value.size()});
}

void HeadParser::Start(RequestHead* head, uint32_t limit) {
  head_ = head;
  head->Clear();
  problem_.clear();
  sink_.emplace(head);
  sink_->header_limit(limit);
  sink_->body_limit(boost::none);  // the connection bounds bodies itself
  sink_->eager(false);             // stop behind the header
}

HeadParser::State HeadParser::Feed(std::string_view bytes, size_t* used) {
  boost::beast::error_code code;
  *used = sink_->put(boost::asio::const_buffer(bytes.data(), bytes.size()), code);
  if (!code) return sink_->is_header_done() ? State::kDone : State::kNeedMore;
  if (code == beast_http::error::need_more) return State::kNeedMore;
  if (code == beast_http::error::header_limit) return State::kTooLarge;
  problem_ = code.message();
  return State::kBad;
}

HeadParser::Framing HeadParser::framing() const {
  Framing framing;
  framing.chunked = sink_->chunked();
  if (auto length = sink_->content_length()) framing.content_length = *length;
  framing.keep_alive = sink_->keep_alive();
  // Anything but exactly "chunked" could be read differently by a proxy in front of us.
  framing.unsupported =
      head_->Has("transfer-encoding") && !EqualIgnoringCase(head_->Find("transfer-encoding"), "chunked");
  return framing;
}

}  // namespace arc
