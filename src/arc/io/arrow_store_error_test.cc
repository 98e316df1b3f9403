#include "arc/io/arrow_store_error.h"

#include <arrow/result.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <stdexcept>

#include "arc/io/object_store_azure.h"
#include "arc/io/object_store_gcs.h"

namespace arc {
namespace {

ErrorKind KindOf(const std::string& message) { return StoreError(arrow::Status::IOError(message), "reading k").kind; }

TEST(StoreError, KnowsTheWordsOfAllStores) {
  EXPECT_EQ(KindOf("AWS Error NO_SUCH_KEY during GetObject operation"), ErrorKind::kNotFound);
  EXPECT_EQ(KindOf("google::cloud::Status(NOT_FOUND: Permanent error, No such object: b/k)"), ErrorKind::kNotFound);
  EXPECT_EQ(KindOf("Azure Error: [BlobNotFound] 404"), ErrorKind::kNotFound);
  // A missing bucket is no missing object.
  for (const char* message : {"AWS Error NO_SUCH_BUCKET", "Azure Error: [ContainerNotFound] 404",
                              "Status(NOT_FOUND: The specified bucket does not exist.)"}) {
    EXPECT_EQ(KindOf(message), ErrorKind::kUnavailable) << message;
    EXPECT_TRUE(IsMissingBucket(arrow::Status::IOError(message))) << message;
  }
  EXPECT_EQ(KindOf("AWS Error EXPIRED_TOKEN"), ErrorKind::kUnauthenticated);
  EXPECT_EQ(KindOf("google::cloud::Status(UNAUTHENTICATED: x)"), ErrorKind::kUnauthenticated);
  EXPECT_EQ(KindOf("google::cloud::Status(PERMISSION_DENIED: x)"), ErrorKind::kPermissionDenied);
  EXPECT_EQ(KindOf("Azure Error: [AuthorizationPermissionMismatch] 403 x"), ErrorKind::kPermissionDenied);
  EXPECT_EQ(KindOf("AWS Error SLOW_DOWN: Please reduce your request rate."), ErrorKind::kUnavailable);
  EXPECT_EQ(KindOf("Azure Error: [ServerBusy] 503"), ErrorKind::kUnavailable);
}

TEST(StoreError, HidesSignatures) {
  const Error error = StoreError(
      arrow::Status::IOError("GET https://a/c?se=2030&sig=c2VjcmV0%3D&sp=r failed; again: sig=c2VjcmV0"), "reading k");
  EXPECT_EQ(error.message.find("c2VjcmV0"), std::string::npos) << error.message;
  EXPECT_NE(error.message.find("&sp=r failed"), std::string::npos);
}

TEST(StoreError, WhatIsThrownIsCaught) {
  auto result = Caught([]() -> arrow::Result<int> { throw std::runtime_error("no token"); });
  EXPECT_EQ(result.status().message(), "no token");
  EXPECT_EQ(*Caught([]() -> arrow::Result<int> { return 7; }), 7);
}

// Azure's identity library throws where it finds no way to a token.
TEST(StoreError, CredentialsThatAreNoneFailAndDoNotEndTheProcess) {
  const std::pair<const char*, const char*> variables[] = {{"AZURE_TENANT_ID", "t"},
                                                           {"AZURE_CLIENT_ID", "c"},
                                                           {"AZURE_CLIENT_SECRET", "s"},
                                                           {"AZURE_AUTHORITY_HOST", "https://127.0.0.1:9"}};
  for (const auto& [name, value] : variables) setenv(name, value, 1);
  AzureStoreOptions options;
  options.container = "c";
  options.account_name = "a";
  options.endpoint = "https://127.0.0.1:9";
  auto store = OpenAzureObjectStore(options);
  ASSERT_TRUE(store.ok()) << store.error().message;
  Status checked = (*store)->Check();
  EXPECT_EQ(checked.error().kind, ErrorKind::kUnavailable);
  EXPECT_NE(checked.error().message.find("no access token was to be had"), std::string::npos)
      << checked.error().message;
  EXPECT_FALSE((*store)->PutOverwrite("k", "x").ok());
  EXPECT_FALSE((*store)->ReadAll("k").ok());
  for (const auto& [name, value] : variables) unsetenv(name);
}

TEST(StoreError, AFileThatIsNoKeyIsNamed) {
  GcsStoreOptions options;
  options.bucket = "b";
  options.credentials_file = "/absent.json";
  auto absent = OpenGcsObjectStore(options);
  EXPECT_EQ(absent.error().kind, ErrorKind::kInvalidArgument);
  EXPECT_NE(absent.error().message.find("storage.gcs.credentials_file"), std::string::npos);
  options.credentials_file = "docs/storage.md";
  EXPECT_NE(OpenGcsObjectStore(options).error().message.find("no service account's key"), std::string::npos);
}

}  // namespace
}  // namespace arc
