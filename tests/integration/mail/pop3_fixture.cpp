// SPDX-License-Identifier: Apache-2.0
#include "pop3_fixture.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace qconn::test {

namespace {

constexpr int k_mailboxes = 60;

/// The names of users whose mailboxes no test has had.
std::string all_users() {
    std::string names;
    for (int i = 1; i <= k_mailboxes; ++i) names += (i > 1 ? " box" : "box") + std::to_string(i);
    return names;
}

}  // namespace

Server& dovecot() {
    static Server server{"dovecot", {.environment = {"POP3_USERS=" + all_users()}}};
    return server;
}
Server& dovecot_locking() {
    static Server server{"dovecot", {.environment = {"POP3_LOCK=yes"}}};
    return server;
}
Server& dovecot_strict() {
    static Server server{"dovecot", {.environment = {"POP3_TLS=require"}}};
    return server;
}

Mailbox::Mailbox() : server_{dovecot()} {
    static std::atomic<int> count{0};
    const int number = ++count;
    if (number > k_mailboxes) throw std::runtime_error{"there are too few mailboxes"};
    user_ = "box" + std::to_string(number);
    folder_ = server_.directory() / ("mail/" + user_);
}

Mailbox::Mailbox(Server& server) : server_{server}, user_{k_user}, folder_{server.directory() / ("mail/" + user_)} {}

Pop3Options Mailbox::options(Pop3Tls security) const {
    Pop3Options options;
    options.label = "mailbox";
    options.host = "127.0.0.1";
    options.security = security;
    options.port = security == Pop3Tls::implicit ? server_.port2() : server_.port();
    options.username = user_;
    options.password = Secret{std::string{k_password}};
    options.tls.ca_file = tls_file("ca.crt");
    return options;
}

void Mailbox::put(std::string_view text) {
    std::string number = std::to_string(++messages_);
    number.insert(0, 6 - std::min<std::size_t>(6, number.size()), '0');
    const std::string name = "1700000000." + number + ".test";
    const std::string path = folder_ + "/tmp/" + name;
    std::ofstream{path, std::ios::binary} << text;
    ::chmod(path.c_str(), 0666);
    std::filesystem::rename(path, folder_ + "/new/" + name);
}

void Mailbox::fill(std::size_t count, std::size_t size) {
    for (std::size_t i = 1; i <= count; ++i) {
        std::string text = "From: a@example.com\nSubject: message " + std::to_string(i) + "\n\n";
        while (text.size() < size) text += "a line of the text of message " + std::to_string(i) + ", as long as others are\n";
        put(text);
    }
}

std::size_t Mailbox::count() const {
    std::size_t all = 0;
    for (const char* part : {"/new", "/cur"}) {
        for ([[maybe_unused]] const auto& one : std::filesystem::directory_iterator{folder_ + part}) ++all;
    }
    return all;
}

Pop3Options ScriptedPop3::options() const {
    Pop3Options options;
    options.label = "mailbox";
    options.host = "127.0.0.1";
    options.port = port();
    options.username = "edi";
    options.password = Secret{std::string{"s3cret-word"}};
    return options;
}

std::string usual_answer(const std::string& line) {
    if (line == "CAPA") return "-ERR what?\r\n";
    if (line.starts_with("USER") || line.starts_with("PASS") || line == "NOOP" || line == "RSET") return "+OK\r\n";
    if (line == "STAT") return "+OK 0 0\r\n";
    if (line == "LIST" || line == "UIDL") return "+OK\r\n.\r\n";
    if (line == "QUIT") return "+OK bye\r\n";
    return {};
}

}  // namespace qconn::test
