// SPDX-License-Identifier: Apache-2.0
/// The options about sockets, the same for every scheme whose options struct has a `socket`.
#pragma once

#include <array>
#include <string>
#include <utility>

#include <qconn/core/option.hpp>
#include <qconn/net/socket_options.hpp>

#include "schemes/convert.hpp"

namespace qconn::schemes {

inline constexpr std::array<std::pair<const char*, AddressFamily>, 5> k_address_families{{{"any", AddressFamily::any},
                                                                                          {"prefer_ipv4", AddressFamily::prefer_ipv4},
                                                                                          {"prefer_ipv6", AddressFamily::prefer_ipv6},
                                                                                          {"only_ipv4", AddressFamily::only_ipv4},
                                                                                          {"only_ipv6", AddressFamily::only_ipv6}}};

template <class Options>
void add_socket_options(OptionTable<Options>& table) {
    const auto flag = [&table](std::string name, bool SocketOptions::*member, std::string help) {
        OptionSpec& spec = table.add(std::move(name), OptionType::boolean, std::move(help),
                                     [member](Options& o, const Value& v) { o.socket.*member = v.as_bool(); });
        spec.fallback = true;
        spec.example = false;
    };
    const auto number = [&table](std::string name, auto set, double maximum, Unit unit, Value example, std::string help) -> OptionSpec& {
        OptionSpec& spec =
            table.add(std::move(name), OptionType::integer, std::move(help), [set](Options& o, const Value& v) { set(o.socket, v.as_int64()); });
        spec.unit = unit;
        spec.minimum = 0;
        spec.maximum = maximum;
        spec.example = std::move(example);
        return spec;
    };
    using std::chrono::seconds;
    constexpr double k_most = 2'147'483'647.0;

    {
        OptionSpec& spec =
            table.add("local_address", OptionType::string, "Address that connections come from: one of this machine, or the name of an interface",
                      [](Options& o, const Value& v) { o.socket.local_address = std::string{v.as_string()}; });
        spec.fallback_text = "the system's choice";
        spec.example = "10.0.0.5";
    }
    number(
        "local_port", [](SocketOptions& s, std::int64_t n) { s.local_port = static_cast<std::uint16_t>(n); }, 65'535, Unit::none, 40'000,
        "Port that connections come from; 0: any")
        .fallback = 0;
    {
        OptionSpec& spec = table.add("ip_version", OptionType::string, "Which addresses of a host are used", [](Options& o, const Value& v) {
            for (const auto& [word, family] : k_address_families) {
                if (v.as_string() == word) o.socket.family = family;
            }
        });
        spec.fallback = "any";
        for (const auto& [word, family] : k_address_families) spec.allowed.push_back({Value{word}, {}});
        spec.example = "only_ipv4";
    }
    flag("keep_alive", &SocketOptions::keep_alive, "TCP keep-alive: idle connections are probed");
    number(
        "keep_alive_idle", [](SocketOptions& s, std::int64_t n) { s.keep_alive_idle = seconds{n}; }, 32'767, Unit::seconds, 30,
        "Idle time before the first probe; 0: the system's")
        .fallback = 60;
    number(
        "keep_alive_interval", [](SocketOptions& s, std::int64_t n) { s.keep_alive_interval = seconds{n}; }, 32'767, Unit::seconds, 10,
        "Time between two probes; 0: the system's")
        .fallback = 60;
    number(
        "keep_alive_probes", [](SocketOptions& s, std::int64_t n) { s.keep_alive_probes = static_cast<int>(n); }, 127, Unit::none, 5,
        "Probes without an answer until the connection counts as broken; 0: the system's")
        .fallback = 0;
    flag("tcp_no_delay", &SocketOptions::no_delay, "Small packets are sent at once");
    number(
        "linger", [](SocketOptions& s, std::int64_t n) { s.linger = seconds{n}; }, 21'474'836, Unit::seconds, 5,
        "How long the system goes on to send what is unsent after closing; 0: the connection is cut")
        .fallback_text = "the system's way";
    number(
        "send_buffer", [](SocketOptions& s, std::int64_t n) { s.send_buffer = static_cast<int>(n); }, k_most, Unit::bytes, 262'144,
        "The system's buffer for sending; 0: its own choice")
        .fallback = 0;
    number(
        "receive_buffer", [](SocketOptions& s, std::int64_t n) { s.receive_buffer = static_cast<int>(n); }, k_most, Unit::bytes, 262'144,
        "The system's buffer for receiving; 0: its own choice")
        .fallback = 0;
    number(
        "max_send_rate", [](SocketOptions& s, std::int64_t n) { s.max_send_rate = n; }, 1e15, Unit::bytes, 1'000'000,
        "Bytes a second sent in a longer transfer, on the average; 0: no limit. Not of pings")
        .fallback = 0;
    number(
        "max_receive_rate", [](SocketOptions& s, std::int64_t n) { s.max_receive_rate = n; }, 1e15, Unit::bytes, 1'000'000,
        "Bytes a second received in a longer transfer, on the average; 0: no limit. Not of pings")
        .fallback = 0;
}

}  // namespace qconn::schemes
