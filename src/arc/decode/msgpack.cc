#include "arc/decode/msgpack.h"

#include "arc/decode/batch_builder.h"
#include "arc/decode/msgpack_decoder.h"

namespace arc {

Result<WriteRequest> DecodeMsgpack(std::string_view body, const MsgpackOptions& options) {
  return DecodeGuarded(body, [&]() -> Result<WriteRequest> {
    RequestBuilder request(body.size());
    MsgpackDecoder decoder(body, {options.server_time_micros, options.precision}, &request);
    ARC_RETURN_IF_ERROR(decoder.Run());
    return request.Finish("row");
  });
}

}  // namespace arc
