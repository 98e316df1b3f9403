// For tests: real object stores, one server of each kind for a program, their objects in folders that go with it.
#pragma once

#include <csignal>
#include <filesystem>
#include <memory>
#include <string>

#include "arc/io/object_store_azure.h"
#include "arc/io/object_store_gcs.h"
#include "arc/io/object_store_s3.h"
#include "arc/io/test_folder.h"
#include "arc/io/test_server_process.h"

namespace arc {

// Opened, and its bucket there.
inline Result<std::unique_ptr<ObjectStore>> Checked(Result<std::unique_ptr<ObjectStore>> store) {
  if (!store.ok()) return store;
  ARC_RETURN_IF_ERROR((*store)->Check());
  return store;
}

class TestMinio {
 public:
  static constexpr const char* kUser = "arc-tests";
  static constexpr const char* kPassword = "arc-tests-secret";

  // The program's server, started by the first call; null where there is no MinIO.
  static TestMinio* Get() {
    if (!std::filesystem::exists(ARC_TEST_PEERS "/minio")) return nullptr;
    static TestMinio server;
    return &server;
  }

  S3StoreOptions Options(const std::string& bucket) const {
    S3StoreOptions options;
    options.endpoint = "http://127.0.0.1:" + std::to_string(port_);
    options.access_key = kUser;
    options.secret_key = kPassword;
    options.bucket = bucket;
    options.make_bucket = true;
    return options;
  }
  void Start() { process_.Start(); }
  void Stop() { process_.Stop(); }

 private:
  TestMinio() { Start(); }

  TestFolder folder_;
  const int port_ = TestServerProcess::FreePort();
  TestServerProcess process_{
      {ARC_TEST_PEERS "/minio", "server", "--quiet", "--address", "127.0.0.1:" + std::to_string(port_), folder_.path()},
      {std::string("MINIO_ROOT_USER=") + kUser, std::string("MINIO_ROOT_PASSWORD=") + kPassword, "MINIO_BROWSER=off",
       "HOME=" + folder_.path(), "PATH=/usr/bin:/bin"},
      [this] { return Checked(OpenS3ObjectStore(Options("ready"), SystemRandom())).ok(); }};
};

// Google Cloud Storage as fake-gcs-server speaks it.
class TestGcs {
 public:
  static TestGcs* Get() {
    if (!std::filesystem::exists(ARC_TEST_PEERS "/fake_gcs_server")) return nullptr;
    static TestGcs server;
    return &server;
  }

  GcsStoreOptions Options(const std::string& bucket) const {
    GcsStoreOptions options;
    options.endpoint = url_;
    options.bucket = bucket;
    options.project_id = "tests";
    options.make_bucket = true;
    options.spill_folder = spill_.path();
    options.retry_limit_seconds = 2;
    return options;
  }
  void Start() { process_.Start(); }
  void Stop() { process_.Stop(); }

 private:
  TestGcs() { Start(); }

  TestFolder folder_;
  TestFolder spill_;
  const int port_ = TestServerProcess::FreePort();
  const std::string url_ = "http://127.0.0.1:" + std::to_string(port_);
  TestServerProcess process_{
      {ARC_TEST_PEERS "/fake_gcs_server", "-scheme", "http", "-host", "127.0.0.1", "-port", std::to_string(port_),
       "-external-url", url_, "-backend", "filesystem", "-filesystem-root", folder_.path()},
      {"HOME=" + folder_.path(), "PATH=/usr/bin:/bin"},
      [this] { return Checked(OpenGcsObjectStore(Options("ready"))).ok(); }};
};

// Azure Blob Storage as azurite speaks it.
class TestAzure {
 public:
  static constexpr const char* kProgram = ARC_TEST_PEERS "/azurite/node_modules/.bin/azurite-blob";
  static constexpr const char* kAccount = "arctests";
  static constexpr const char* kKey = "YXJjLXRlc3RzLXNlY3JldC1hcmMtdGVzdHMtc2VjcmV0LTEyMzQ=";

  static TestAzure* Get() {
    if (!std::filesystem::exists(kProgram)) return nullptr;
    static TestAzure server;
    return &server;
  }

  AzureStoreOptions Options(const std::string& container) const {
    AzureStoreOptions options;
    options.endpoint = "http://127.0.0.1:" + std::to_string(port_);
    options.container = container;
    options.account_name = kAccount;
    options.account_key = kKey;
    options.make_container = true;
    options.spill_folder = spill_.path();
    return options;
  }
  void Start() { process_.Start(); }
  void Stop() { process_.Stop(); }

 private:
  TestAzure() { Start(); }

  TestFolder folder_;
  TestFolder spill_;
  const int port_ = TestServerProcess::FreePort();
  // It writes down what it holds every few seconds, and when it is asked to stop.
  TestServerProcess process_{
      {kProgram, "--silent", "--skipApiVersionCheck", "--blobHost", "127.0.0.1", "--blobPort", std::to_string(port_),
       "--location", folder_.path()},
      {std::string("AZURITE_ACCOUNTS=") + kAccount + ":" + kKey, "HOME=" + folder_.path(), "PATH=/usr/bin:/bin"},
      [this] { return Checked(OpenAzureObjectStore(Options("ready"))).ok(); },
      SIGTERM};
};

}  // namespace arc
