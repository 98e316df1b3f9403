// Tables whose objects have moved: Iceberg's metadata names every object by its absolute address.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "arc/base/result.h"

namespace arc {

// Addresses that begin with `from` begin with `to` instead. Both end with a slash.
struct Relocation {
  std::string from;
  std::string to;

  bool moves() const { return from != to; }
  std::string Apply(std::string_view uri) const;
};

// Sizes that rewritten manifests have, by their old address.
using ManifestSizes = std::map<std::string, int64_t>;

// A metadata file (JSON, not compressed) with every address changed. kCorruption.
Result<std::string> RelocateMetadata(std::string_view json, const Relocation& relocation);

enum class AvroRole { kManifestList, kManifest, kOther };
// What an Avro file is to Iceberg; kCorruption when it is none.
Result<AvroRole> RoleOfAvro(std::string_view avro);

// A manifest, or a manifest list with the sizes of its manifests too; schema and header stay as they are. kUnsupported
// for a list with row-level deletes: the delete files name data files by their address too.
Result<std::string> RelocateAvro(std::string_view avro, const Relocation& relocation, const ManifestSizes& sizes);

}  // namespace arc
