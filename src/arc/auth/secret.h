// The secret text of an API token and what is stored of it. Private to `auth`.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "arc/base/result.h"
#include "arc/base/uuid.h"

namespace arc {

using SecretHash = std::array<uint8_t, 32>;

// "arc_" and 32 random bytes in base64url (RFC 4648 section 5, no padding): safe in URLs, headers and shells.
std::string NewSecret(RandomSource& random);

// SHA-256. A plain hash is enough for 256 random bits; it also serves as the look-up key, so no secret is ever compared
// byte by byte.
SecretHash HashSecret(std::string_view secret);

// A secret chosen by a person: 8 to 512 printable ASCII characters without spaces, as HTTP headers carry them.
Status CheckChosenSecret(std::string_view secret);

}  // namespace arc
