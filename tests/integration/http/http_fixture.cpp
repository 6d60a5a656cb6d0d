// SPDX-License-Identifier: Apache-2.0
#include "http_fixture.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "support/free_port.hpp"

namespace qconn::test {

using namespace std::chrono_literals;

Server& nginx() {
    static Server server{"nginx"};
    return server;
}

Server& httpbin() {
    static Server server{"httpbin"};
    return server;
}

HttpOptions options(const std::string& url) {
    HttpOptions out;
    out.label = "shop";
    out.url = url;
    return out;
}

HttpOptions tls_options(const std::string& path) {
    HttpOptions out = options("https://" + nginx().address2() + path);
    out.tls.ca_file = tls_file("ca.crt");
    return out;
}

HttpResponse call(HttpClient& client, Form form, const HttpRequest& request, Deadline deadline) {
    if (form == Form::blocking) return client.request(request, deadline);
    Responses outcomes;
    client.async_request(request, deadline, outcomes.callback());
    REQUIRE(outcomes.wait(1));
    return outcomes.results().front().value();
}

Error failure(HttpClient& client, Form form, const HttpRequest& request, Deadline deadline) {
    try {
        const HttpResponse response = call(client, form, request, deadline);
        FAIL("answered with " << response.status);
    } catch (const Error& error) { return error; }
    throw std::logic_error{"not reached"};
}

std::string log_of(Server& server, std::string_view uri) {
    std::string out;
    const std::string log = server.directory().read("access.log");
    const std::string mark = "\"uri\":\"" + std::string{uri};
    for (std::size_t at = 0; at < log.size();) {
        const std::size_t end = std::min(log.find('\n', at), log.size());
        const std::string line = log.substr(at, end - at);
        if (line.find(mark) != std::string::npos) out += line + "\n";
        at = end + 1;
    }
    return out;
}

std::set<std::string> connections_in_log(Server& server, std::string_view uri) {
    // nginx writes its line after the answer.
    wait_until([&] { return !log_of(server, uri).empty(); });
    std::set<std::string> out;
    const std::string log = log_of(server, uri);
    const std::string mark = "\"connection\":";
    for (std::size_t at = log.find(mark); at != std::string::npos; at = log.find(mark, at + 1)) {
        const std::size_t from = at + mark.size();
        out.insert(log.substr(from, log.find(',', from) - from));
    }
    return out;
}

ScriptedServer::ScriptedServer(std::string answer, After after)
    : ScriptedServer{[answer = std::move(answer)](int, int) { return std::optional{answer}; }, after} {}

ScriptedServer::ScriptedServer(Script script, After after, bool reset) : script_{std::move(script)}, after_{after}, reset_{reset} { listen({}); }

ScriptedServer::ScriptedServer(const std::string& path, std::string answer, After after)
    : script_{[answer = std::move(answer)](int, int) { return std::optional{answer}; }}, after_{after} {
    listen(path);
}

void ScriptedServer::listen(const std::string& path) {
    if (path.empty()) {
        listener_ = listen_on(port_);
    } else {
        listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
        ::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
        ::listen(listener_, 16);
    }
    acceptor_ = std::thread{[this] { accept_all(); }};
}

ScriptedServer::~ScriptedServer() {
    {
        const std::lock_guard lock{mutex_};
        ending_ = true;
        ::shutdown(listener_, SHUT_RDWR);
        for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    acceptor_.join();
    for (std::thread& thread : threads_) thread.join();
    ::close(listener_);
}

std::string ScriptedServer::received() {
    const std::lock_guard lock{mutex_};
    return received_;
}

void ScriptedServer::accept_all() {
    while (true) {
        const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        const std::lock_guard lock{mutex_};
        if (fd < 0 || ending_) {
            if (fd >= 0) ::close(fd);
            return;
        }
        open_.push_back(fd);
        threads_.emplace_back([this, fd, number = connections_++] { serve(fd, number); });
    }
}

void ScriptedServer::serve(int fd, int number) {
    std::string pending;
    bool silent = true;
    int request = 0;
    const auto take_request = [&pending] {
        const std::size_t head = pending.find("\r\n\r\n");
        if (head == std::string::npos) return false;
        std::size_t body = 0;
        if (const std::size_t at = pending.find("Content-Length: "); at < head) body = std::stoul(pending.substr(at + 16, 20));
        if (pending.size() < head + 4 + body) return false;
        pending.erase(0, head + 4 + body);
        return true;
    };
    char block[65'536];
    while (true) {
        const ssize_t got = ::recv(fd, block, sizeof block, 0);
        if (got <= 0) break;
        pending.append(block, static_cast<std::size_t>(got));
        {
            const std::lock_guard lock{mutex_};
            if (std::exchange(silent, false)) ++heard_;
            received_.append(block, static_cast<std::size_t>(got));
        }
        bool over = false;
        while (take_request()) {
            const std::optional<std::string> answer = script_(number, request++);
            const auto pace = pace_.load();
            const std::size_t step = pace.count() == 0 ? std::string::npos : 1;
            for (std::string_view rest = answer ? std::string_view{*answer} : std::string_view{}; !rest.empty();
                 rest.remove_prefix(std::min(step, rest.size()))) {
                if (::send(fd, rest.data(), std::min(step, rest.size()), MSG_NOSIGNAL) < 0) break;
                std::this_thread::sleep_for(pace);
            }
            ++requests_;
            over = over || !answer || after_ != After::keep;
        }
        if (over) break;
    }
    const std::lock_guard lock{mutex_};
    open_.erase(std::find(open_.begin(), open_.end(), fd));
    if (reset_ || after_ == After::reset) {
        const linger now{1, 0};
        ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    ::close(fd);
}

}  // namespace qconn::test
