// The walker behind DecodeMsgpack.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "arc/decode/item_writer.h"
#include "arc/decode/msgpack_reader.h"

namespace arc {

// Decodes one body into a RequestBuilder. Not thread-safe.
class MsgpackDecoder {
 public:
  MsgpackDecoder(std::string_view body, const ItemOptions& options, RequestBuilder* request);
  Status Run();

 private:
  // The parts of an item, found in one walk; nested values are only passed over (null: absent).
  struct Item {
    Scalar measurement, time, host;
    std::string_view spelled_measurement;  // with its tag
    const char* tags = nullptr;
    const char* fields = nullptr;
    const char* columns = nullptr;
    const char* tag_keys = nullptr;
    const char* batch = nullptr;
    const char* end = nullptr;  // null: not known, as `columns` or `batch` came last and was not walked over
  };
  struct Block {
    MeasurementBuilder* measurement = nullptr;
    const char* columns = nullptr;
    uint32_t rows = 0;
    bool has_tag_keys = false;
    std::vector<std::string_view> tag_keys;
  };
  // How a block fared on the plain way.
  enum class Plain : uint8_t { kDone, kNotPlain, kMalformed };

  Status Value(int depth);
  Status Array(int depth);
  Status Map(int depth);
  Status Malformed() const;

  // A row as most rows are, decoded in one pass from `p` on, where its `keys` keys begin: returns where it ends, or
  // null when anything is unusual. What was written is then void, and Row decodes it properly. Reads ahead freely
  // before fast_end_, hence not for the last bytes of a body.
  const char* FastRow(const char* p, uint32_t keys);
  template <ColumnRole role>
  const char* FastPairs(BatchBuilder& batch, const char* p, ColumnBuilder*** link, uint32_t* values);
  const char* FastHost(BatchBuilder& batch, const char* p, ColumnBuilder*** link);
  ColumnBuilder* FastColumn(BatchBuilder& batch, ColumnRole role, const char** p);

  bool ScanItem(uint32_t keys, Item* item);
  Status Row(const Item& item);
  Added RowInto(BatchBuilder& batch, const Item& item, int64_t time);
  Added Pairs(BatchBuilder& batch, const char* map, ColumnRole role);

  Status Columns(const Item& item);
  // Counts the rows and checks shape and names; false with `error` set, or when the body is malformed.
  bool InspectBlock(Block* block, std::string* error);
  bool ReadTagKeys(const Item& item, Block* block, std::string* error);
  // Decodes column by column into `batch`; what is not plain is found out on the way and leaves nothing.
  Plain PlainBlock(Block* block, BatchBuilder& batch);
  Plain PlainColumn(const Block& block, BatchBuilder& batch, std::string_view name, bool* has_values);
  Plain PlainValues(ColumnBuilder& column, uint32_t row, uint32_t count);
  Plain PlainTimes(BatchBuilder& batch, uint32_t count, int64_t* min_time, int64_t* max_time);
  uint32_t TagRun(ColumnBuilder& column, uint32_t row, uint32_t count);
  uint32_t DoubleRun(ColumnBuilder& column, uint32_t row, uint32_t count);
  Status BlockByRows(const Block& block);

  MsgpackReader reader_;
  ItemWriter writer_;
  BatchBuilder* host_batch_ = nullptr;  // whose column for `h` host_column_ is
  ColumnBuilder* host_column_ = nullptr;
  // Nothing before it is closer than kFastRoom bytes to the end of the body.
  const char* fast_end_;
};

}  // namespace arc
