// SPDX-License-Identifier: Apache-2.0
// CPU time of one blocking call on a kept connection: XML-RPC against xmlrpc-c's client (over libcurl too), YAML-RPC against JSON-RPC. A call sends
// an order and gets one back. All take turns, medians of 9; the server is a process of its own that sends the same bytes whatever it is asked.
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xmlrpc-c/base.h>
#include <xmlrpc-c/client.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qconn/rpc/rpc_client.hpp>

#include "benchmarks/measure.hpp"
#include "rpc/codec.hpp"

namespace {

using namespace qconn;

constexpr int k_samples = 9;
constexpr int k_calls = 2000;

const Value& order() {
    static const Value value =
        Map{{"id", 17},
            {"customer", "Müller & Söhne"},
            {"paid", true},
            {"total", 19.99},
            {"lines", List{Map{{"sku", "A-1"}, {"count", 2}}, Map{{"sku", "B-2"}, {"count", 1}}, Map{{"sku", "C-3"}, {"count", 7}}}}};
    return value;
}

std::string answer_of(RpcProtocol kind, const char* type) {
    const rpc::Protocol& protocol = rpc::protocol_of(kind);
    rpc::Requests requests;
    requests.all.emplace_back().id = 1;
    std::string body;
    protocol.write_answers(body, requests, std::vector<rpc::Outcome>{order()});
    return "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sun, 22 Nov 2026 12:00:00 GMT\r\nContent-Type: " + std::string{type} +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: keep-alive\r\n\r\n" + body;
}

/// Whether a whole request has come; it is taken away then.
bool take_request(std::string& pending) {
    const std::size_t head = pending.find("\r\n\r\n");
    if (head == std::string::npos) return false;
    const std::size_t at = pending.find("Content-Length: ");
    const std::size_t size = head + 4 + (at < head ? std::strtoul(pending.c_str() + at + 16, nullptr, 10) : 0);
    if (pending.size() < size) return false;
    pending.erase(0, size);
    return true;
}

[[noreturn]] void serve(int listener) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const std::pair<std::string, std::string> answers[] = {{"POST /JSON", answer_of(RpcProtocol::json, "application/json")},
                                                           {"POST /YAML", answer_of(RpcProtocol::yaml, "application/x-yaml")},
                                                           {"POST /RPC2", answer_of(RpcProtocol::xml, "text/xml")}};
    while (true) {
        const int fd = accept(listener, nullptr, nullptr);
        if (fd < 0) _exit(1);
        if (fork() != 0) {
            close(fd);
            continue;
        }
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        std::string pending;
        char block[16384];
        for (ssize_t got = 0; (got = recv(fd, block, sizeof block, 0)) > 0;) {
            pending.append(block, static_cast<std::size_t>(got));
            for (const auto& [line, answer] : answers) {
                if (pending.starts_with(line) && take_request(pending)) {
                    send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
                    break;
                }
            }
        }
        _exit(0);
    }
}

/// The same order, in the way of xmlrpc-c.
class XmlrpcC {
public:
    explicit XmlrpcC(std::string url) : url_{std::move(url)} {
        xmlrpc_env_init(&env_);
        xmlrpc_client_setup_global_const(&env_);
        xmlrpc_client_create(&env_, XMLRPC_CLIENT_NO_FLAGS, "bench", "1", nullptr, 0, &client_);
    }
    ~XmlrpcC() {
        xmlrpc_client_destroy(client_);
        xmlrpc_client_teardown_global_const();
        xmlrpc_env_clean(&env_);
    }
    XmlrpcC(const XmlrpcC&) = delete;
    XmlrpcC& operator=(const XmlrpcC&) = delete;

    bool call() {
        xmlrpc_value* result = nullptr;
        xmlrpc_client_call2f(&env_, client_, url_.c_str(), "orders.put", &result, "({s:i,s:s,s:b,s:d,s:({s:s,s:i}{s:s,s:i}{s:s,s:i})})", "id", 17,
                             "customer", "Müller & Söhne", "paid", 1, "total", 19.99, "lines", "sku", "A-1", "count", 2, "sku", "B-2", "count", 1,
                             "sku", "C-3", "count", 7);
        if (env_.fault_occurred) {
            std::fprintf(stderr, "xmlrpc-c: %s\n", env_.fault_string);
            return false;
        }
        // A program reads what it has asked for.
        xmlrpc_value* id = nullptr;
        int number = 0;
        xmlrpc_struct_find_value(&env_, result, "id", &id);
        if (id != nullptr) {
            xmlrpc_read_int(&env_, id, &number);
            xmlrpc_DECREF(id);
        }
        xmlrpc_DECREF(result);
        return number == 17;
    }

private:
    std::string url_;
    xmlrpc_env env_{};
    xmlrpc_client* client_{nullptr};
};

bool good = true;

/// CPU microseconds of one call.
double time_of(const std::function<bool()>& call) {
    const double start = bench::process_seconds();
    for (int i = 0; i < k_calls; ++i) good = call() && good;
    return (bench::process_seconds() - start) / k_calls * 1e6;
}

/// How many times the first takes of the second, measured in turns.
double compare(const char* what, const std::function<bool()>& first, const std::function<bool()>& second) {
    std::vector<double> a;
    std::vector<double> b;
    std::vector<double> ratios;
    time_of(first);
    time_of(second);
    for (int i = 0; i < k_samples; ++i) {
        a.push_back(time_of(first));
        b.push_back(time_of(second));
        ratios.push_back(a.back() / b.back());
    }
    const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
    const double ratio = bench::median(a) / bench::median(b);
    std::printf("rpc: %s: %.1f us and %.1f us CPU a call, ratio %.2f (%.2f to %.2f)\n", what, bench::median(a), bench::median(b), ratio, *least,
                *most);
    return ratio;
}

}  // namespace

int main() {
    signal(SIGCHLD, SIG_IGN);
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener, reinterpret_cast<const sockaddr*>(&address), size) != 0 || listen(listener, 16) != 0) return 1;
    getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    const pid_t server = fork();
    if (server == 0) serve(listener);
    const std::string base = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));

    {
        const auto client = [&](RpcProtocol protocol) {
            RpcOptions options;
            options.url = base;
            options.protocol = protocol;
            return std::make_unique<RpcClient>(options);
        };
        const auto call = [](RpcClient& one) { return [&one] { return one.call("orders.put", List{order()})["id"] == Value{17}; }; };
        const auto json = client(RpcProtocol::json);
        const auto xml = client(RpcProtocol::xml);
        const auto yaml = client(RpcProtocol::yaml);
        XmlrpcC rival{base + "/RPC2"};
        // Calls a CPU second, so at least 1.2 times as many.
        good = compare(
                   "xmlrpc-c and RpcClient by XML-RPC", [&] { return rival.call(); }, call(*xml)) >= 1.2 &&
               good;
        good = compare("RpcClient by YAML-RPC and by JSON-RPC", call(*yaml), call(*json)) <= 3 && good;
    }
    kill(server, SIGKILL);
    return good ? 0 : 2;
}
