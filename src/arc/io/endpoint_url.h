// Addresses of stores as users write them.
#pragma once

#include <string>
#include <string_view>

namespace arc {

struct EndpointUrl {
  std::string scheme;  // "http" or "https"
  std::string host;    // with its port
};

// "https://host:port/", or without scheme, where `default_scheme` holds.
EndpointUrl ParseEndpoint(std::string_view text, std::string_view default_scheme);

}  // namespace arc
