// Whom TLS connections to object stores trust.
#pragma once

#include <string>

#include "arc/base/result.h"

namespace arc {

// The machine's file of CA certificates (PEM), or empty where none is found. Arrow's libraries were built on another
// distribution and do not look where this one keeps it.
std::string MachineCaFile();

// Makes Google's and Azure's clients trust `ca_file`; empty: the machine's. For the whole process, before its first
// client. kInvalidArgument when the file cannot be read.
Status TrustCertificates(const std::string& ca_file);

// kInvalidArgument unless `ca_file` is empty or can be read.
Status CheckCaFile(const std::string& ca_file);

}  // namespace arc
