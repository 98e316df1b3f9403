// A server over a fake engine on a free port. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "arc/http/fake_engine.h"
#include "arc/http/server.h"
#include "arc/http/test_client.h"

namespace arc {

class ServerTest : public testing::Test {
 protected:
  ServerTest() {
    options.host = "127.0.0.1";
    options.port = 0;
    options.io_threads = 2;
    options.query_threads = 8;
  }
  ~ServerTest() override { server.reset(); }

  // Call after changing `options` or `engine`.
  void Start() {
    auto started = HttpServer::Start(options, engine);
    ASSERT_TRUE(started.ok()) << started.error().message;
    server = std::move(started).value();
  }
  // One request on a connection of its own.
  TestReply Ask(const std::string& method, const std::string& target, const std::string& body = "",
                const std::string& fields = "", const std::string& token = "admin-secret") {
    if (server == nullptr) Start();
    TestClient client(server->port());
    client.Send(TestRequest(method, target, body, fields, token));
    return client.Receive(method == "HEAD");
  }
  TestReply Get(const std::string& target, const std::string& token = "admin-secret") {
    return Ask("GET", target, "", "", token);
  }
  // Waits for something another thread does.
  static bool Eventually(const std::function<bool()>& condition) {
    for (int i = 0; i < 1000; ++i) {
      if (condition()) return true;
      SystemClock().SleepFor(std::chrono::milliseconds(10));
    }
    return false;
  }

  HttpOptions options;
  FakeEngine engine;
  std::unique_ptr<HttpServer> server;
};

}  // namespace arc
