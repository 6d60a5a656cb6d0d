// SPDX-License-Identifier: Apache-2.0
/// What the HTTP tests share: servers, both forms of a call, scripted answers.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <qconn/base/url.hpp>
#include <qconn/http/http_client.hpp>

#include "support/catch.hpp"
#include "support/outcomes.hpp"
#include "support/server.hpp"
#include "support/temp_dir.hpp"
#include "support/wait.hpp"

namespace qconn::test {

/// One of each for the test program.
Server& nginx();
Server& httpbin();

inline std::string url(const Server& server, const std::string& path = "/") { return "http://" + server.address() + path; }
HttpOptions options(const std::string& url);
/// For nginx's TLS port, with its authority.
HttpOptions tls_options(const std::string& path);

enum class Form { blocking, asynchronous };

using Responses = Outcomes<HttpResponse>;

/// The answer, by either form. @throws Error
HttpResponse call(HttpClient& client, Form form, const HttpRequest& request, Deadline deadline = {});
/// The error that a call must end with.
Error failure(HttpClient& client, Form form, const HttpRequest& request, Deadline deadline = {});

/// Lines of nginx's access log whose URI begins with that.
std::string log_of(Server& server, std::string_view uri);
/// The numbers of the connections that requests of that URI came over.
std::set<std::string> connections_in_log(Server& server, std::string_view uri);

/// Answers each request with given bytes, then closes or keeps the connection.
class ScriptedServer {
public:
    enum class After { keep, close, reset };
    /// On a port of 127.0.0.1.
    explicit ScriptedServer(std::string answer, After after = After::keep);
    /// On a UNIX socket.
    ScriptedServer(const std::string& path, std::string answer, After after = After::keep);
    /// The answer to the n-th request (from 0) on the m-th connection (from 0); nothing: close without an answer.
    using Script = std::function<std::optional<std::string>(int connection, int request)>;
    /// @param reset  connections are ended with an RST rather than a FIN, for After::keep
    explicit ScriptedServer(Script script, After after = After::keep, bool reset = false);
    ~ScriptedServer();
    ScriptedServer(const ScriptedServer&) = delete;
    ScriptedServer& operator=(const ScriptedServer&) = delete;

    /// From now on answers are sent byte by byte, with that time between two.
    void set_pace(std::chrono::milliseconds pace) { pace_ = pace; }

    std::uint16_t port() const noexcept { return port_; }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }
    std::string received();
    int connections() const { return connections_.load(); }
    /// Connections on which something was received.
    int heard() const { return heard_.load(); }
    /// Requests that came whole, and whose answer was sent where they have one.
    int requests() const { return requests_.load(); }

private:
    void listen(const std::string& path);
    void accept_all();
    void serve(int fd, int number);

    Script script_;
    After after_;
    bool reset_{false};
    std::atomic<std::chrono::milliseconds> pace_{std::chrono::milliseconds{0}};
    int listener_{-1};
    std::uint16_t port_{0};
    std::mutex mutex_;
    std::string received_;
    std::vector<int> open_;
    std::vector<std::thread> threads_;
    std::atomic<int> connections_{0};
    std::atomic<int> heard_{0};
    std::atomic<int> requests_{0};
    bool ending_{false};
    std::thread acceptor_;
};

}  // namespace qconn::test
