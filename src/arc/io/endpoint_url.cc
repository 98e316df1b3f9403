#include "arc/io/endpoint_url.h"

namespace arc {

EndpointUrl ParseEndpoint(std::string_view text, std::string_view default_scheme) {
  EndpointUrl url{std::string(default_scheme), {}};
  for (std::string_view scheme : {"https", "http"}) {
    if (!text.starts_with(std::string(scheme) + "://")) continue;
    url.scheme = scheme;
    text.remove_prefix(scheme.size() + 3);
    break;
  }
  while (text.ends_with('/')) text.remove_suffix(1);
  url.host = text;
  return url;
}

}  // namespace arc
