#include "arc/io/trusted_certificates.h"

#include <arrow/filesystem/filesystem.h>
#include <arrow/status.h>

#include <cstdlib>

#include "arc/io/local_disk.h"

namespace arc {
namespace {

constexpr const char* kCaFiles[] = {
    "/etc/ssl/certs/ca-certificates.crt",  // Debian, Ubuntu, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",    // Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",              // openSUSE
    "/etc/ssl/cert.pem",                   // Alpine
};

}  // namespace

std::string MachineCaFile() {
  for (const char* file : kCaFiles) {
    auto there = SystemDisk().Exists(file);
    if (there.ok() && *there) return file;
  }
  return {};
}

Status CheckCaFile(const std::string& ca_file) {
  if (ca_file.empty()) return {};
  auto text = ReadWholeFile(SystemDisk(), ca_file);
  if (!text.ok()) return InvalidArgument(text.error().message + " (storage.ca_file)");
  if (text->find("-----BEGIN") != std::string::npos) return {};
  return InvalidArgument(ca_file + " holds no PEM certificates (storage.ca_file)");
}

Status TrustCertificates(const std::string& ca_file) {
  ARC_RETURN_IF_ERROR(CheckCaFile(ca_file));
  const std::string file = ca_file.empty() ? MachineCaFile() : ca_file;
  if (file.empty()) return {};
  arrow::fs::FileSystemGlobalOptions options;
  options.tls_ca_file_path = file;
  arrow::Status trusted = arrow::fs::Initialize(options);
  if (!trusted.ok()) return Internal("the file systems cannot be set up: " + trusted.message());
  // Azure's client asks OpenSSL alone, and OpenSSL the environment.
  setenv("SSL_CERT_FILE", file.c_str(), ca_file.empty() ? 0 : 1);
  return {};
}

}  // namespace arc
