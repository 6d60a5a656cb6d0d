// SPDX-License-Identifier: Apache-2.0
#include "support/faultproxy.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace qconn::test {
namespace {

int connect_to(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval limit{10, 0};
    if (fd < 0 || ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0 ||
        ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        throw std::runtime_error{std::string{"cannot reach the fault proxy's control port: "} + std::strerror(errno)};
    }
    return fd;
}

}  // namespace

FaultProxy::FaultProxy(std::uint16_t target_port)
    : server_{"faultproxy", {.environment = {"TARGET=127.0.0.1:" + std::to_string(target_port)}}}, control_{connect_to(server_.port2())} {}

FaultProxy::~FaultProxy() { ::close(control_); }

void FaultProxy::set(std::string_view rule, double value) { command("{\"" + std::string{rule} + "\": " + std::to_string(value) + '}'); }
void FaultProxy::set(std::string_view rule, int value) { command("{\"" + std::string{rule} + "\": " + std::to_string(value) + '}'); }
void FaultProxy::set(std::string_view rule, bool value) { command("{\"" + std::string{rule} + "\": " + (value ? "true}" : "false}")); }

std::string FaultProxy::command(std::string_view line) {
    const std::string text = std::string{line} + '\n';
    std::string answer;
    if (::send(control_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size())) {
        for (char c = 0; ::recv(control_, &c, 1, 0) == 1 && c != '\n';) answer += c;
    }
    if (answer.empty()) throw std::runtime_error{"the fault proxy does not take \"" + std::string{line} + "\":\n" + server_.log()};
    return answer;
}

int FaultProxy::number(std::string_view name) {
    const std::string answer = command("show");
    const auto at = answer.find('"' + std::string{name} + "\": ");
    if (at == std::string::npos) throw std::runtime_error{"no " + std::string{name} + " in " + answer};
    return std::atoi(answer.c_str() + at + name.size() + 4);
}

}  // namespace qconn::test
