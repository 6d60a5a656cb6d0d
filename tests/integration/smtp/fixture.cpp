// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"

#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>

#include "base/json.hpp"
#include "support/wait.hpp"

namespace qconn::test {

namespace {

/// The file of a message; empty: it is not there.
std::string file_of(const Server& server, const std::string& message_id) {
    namespace fs = std::filesystem;
    const fs::path mail = fs::path{server.directory().path()} / "mail";
    for (const fs::path& folder : {mail, mail / "new"}) {
        std::error_code none;
        for (const auto& entry : fs::directory_iterator{folder, none}) {
            if (!entry.is_regular_file(none) || entry.path().extension() == ".json") continue;
            if (read_file(entry.path().string()).find("<" + message_id + ">") != std::string::npos) return entry.path().string();
        }
    }
    return {};
}

std::string awaited_file(const Server& server, const std::string& message_id) {
    std::string file;
    wait_until([&] { return !(file = file_of(server, message_id)).empty(); });
    if (file.empty()) throw std::runtime_error{"the server does not have the message " + message_id + "\n" + server.log()};
    return file;
}

std::string output_of(const std::string& command) {
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe{::popen(command.c_str(), "r"), ::pclose};
    std::string out;
    char block[4096];
    for (std::size_t n = std::fread(block, 1, sizeof block, pipe.get()); n > 0; n = std::fread(block, 1, sizeof block, pipe.get()))
        out.append(block, n);
    return out;
}

}  // namespace

Server& exim() {
    static Server server{"exim"};
    return server;
}
Server& aiosmtp() {
    static Server server{"aiosmtp"};
    return server;
}

SmtpOptions options_for(const Server& server, SmtpTls security) {
    SmtpOptions options;
    options.label = "out";
    options.host = "127.0.0.1";
    options.security = security;
    options.port = security == SmtpTls::implicit ? server.port2() : server.port();
    options.username = std::string{k_user};
    options.password = Secret{std::string{k_password}};
    options.from = {"Reports", "reports@example.com"};
    options.tls.ca_file = tls_file("ca.crt");
    return options;
}

MailMessage message_to(std::string_view to, std::string_view subject) {
    MailMessage message;
    message.to = parse_mail_addresses(to);
    message.subject = subject;
    message.text = "Good morning\n";
    return message;
}

Value read_mail(const Server& server, const std::string& message_id) {
    const std::string file = awaited_file(server, message_id);
    const std::string json = output_of("/usr/bin/python3 " QCONN_TESTS_DIR "/integration/smtp/read_mail.py '" + file + "'");
    return json::decode(json).value();
}

std::string raw_mail(const Server& server, const std::string& message_id) { return read_file(awaited_file(server, message_id)); }

SmtpOptions ScriptedSmtp::options() const {
    SmtpOptions options;
    options.label = "out";
    options.host = "127.0.0.1";
    options.port = port();
    options.from = {"", "reports@example.com"};
    return options;
}

std::string usual_reply(const std::string& line) {
    if (line.starts_with("EHLO")) return "250-scripted\r\n250-PIPELINING\r\n250-SIZE 5000000000\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n";
    if (line == "DATA") return "354 go\r\n";
    if (line == ".") return "250 2.0.0 queued\r\n";
    if (line == "QUIT") return "221 bye\r\n";
    return "250 ok\r\n";
}

SmtpErrorDetail detail_of(const Error& error) {
    const auto* detail = error.detail<SmtpErrorDetail>();
    return detail != nullptr ? *detail : SmtpErrorDetail{};
}

}  // namespace qconn::test
