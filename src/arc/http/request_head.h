// The request line and header fields of one request, parsed by Boost.Beast into one reused arena.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace arc {

enum class Method : uint8_t { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions, kOther };

std::string_view MethodName(Method method);

// A value; reused from request to request so that parsing allocates nothing once it has grown. Not thread-safe.
class RequestHead {
 public:
  void Clear();
  void AddField(std::string_view name, std::string_view value);
  void SetRequestLine(Method method, std::string_view target, int version);

  Method method() const { return method_; }
  std::string_view target() const { return {arena_.data(), target_size_}; }
  std::string_view path() const { return target().substr(0, target().find('?')); }
  // Without the '?'; empty when there is none.
  std::string_view query() const;
  int version() const { return version_; }  // 10 or 11
  // The first field so named (any case), empty when absent; names and values have no surrounding blanks.
  std::string_view Find(std::string_view name) const;
  bool Has(std::string_view name) const { return Index(name) >= 0; }
  size_t fields() const { return fields_.size(); }

 private:
  struct Field {
    uint32_t name_at, name_size, value_at, value_size;
  };
  int Index(std::string_view name) const;

  Method method_ = Method::kOther;
  int version_ = 11;
  size_t target_size_ = 0;
  std::string arena_;  // target, then names and values
  std::vector<Field> fields_;
};

// True when the two are equal but for ASCII case.
bool EqualIgnoringCase(std::string_view a, std::string_view b);

// Feeds bytes to Beast's parser until the header is complete. One object serves one request at a time.
class HeadParser {
 public:
  enum class State { kNeedMore, kDone, kTooLarge, kBad };
  // How the body is framed.
  struct Framing {
    bool chunked = false;
    std::optional<uint64_t> content_length;
    bool keep_alive = true;
    bool unsupported = false;  // a transfer coding other than chunked
  };

  // Starts a new request whose fields go to `head`, with at most `limit` header bytes.
  void Start(RequestHead* head, uint32_t limit);
  // Parses `bytes` and says how many were taken; the rest is body, or is to be given again with more behind it.
  State Feed(std::string_view bytes, size_t* used);
  // What was wrong, after kBad.
  const std::string& problem() const { return problem_; }
  Framing framing() const;

 private:
  class Sink : public boost::beast::http::basic_parser<true> {
   public:
    explicit Sink(RequestHead* head) : head_(head) {}

   private:
    using Code = boost::beast::error_code;
    using View = boost::beast::string_view;
    void on_request_impl(boost::beast::http::verb, View, View, int, Code&) override;
    void on_response_impl(int, View, int, Code&) override {}
    void on_field_impl(boost::beast::http::field, View, View, Code&) override;
    void on_header_impl(Code&) override {}
    void on_body_init_impl(const boost::optional<uint64_t>&, Code&) override {}
    size_t on_body_impl(View body, Code&) override { return body.size(); }
    void on_chunk_header_impl(uint64_t, View, Code&) override {}
    size_t on_chunk_body_impl(uint64_t, View body, Code&) override { return body.size(); }
    void on_finish_impl(Code&) override {}
    RequestHead* head_;
  };

  RequestHead* head_ = nullptr;
  std::optional<Sink> sink_;
  std::string problem_;
};

}  // namespace arc
