// SPDX-License-Identifier: Apache-2.0
// What holds for the entry of every scheme.
#include <algorithm>
#include <set>
#include <string>

#include <qconn/core/registry.hpp>
#include <qconn/core/scheme.hpp>

#include "support/catch.hpp"
#include "support/define.hpp"

using namespace qconn;

TEST_CASE("the built-in catalogue has the schemes of this build", "[schemes]") {
    const auto names = builtin_catalogue().names();
    const std::set<std::string> found(names.begin(), names.end());
    CHECK(found.contains("file"));
    CHECK(found.contains("dir"));
#ifndef QCONN_WITHOUT_HTTP
    for (const char* name :
         {"http",         "https",         "rest",     "rests",         "jsonrpc",   "jsonrpcs",   "xmlrpc",  "xmlrpcs", "yamlrpc",   "yamlrpcs",
          "billwerkrest", "billwerkrests", "cdsrests", "sap4hanarests", "sewiorest", "sewiorests", "sfrests", "snrests", "zeyosrest", "zeyosrests"})
        CHECK(found.contains(name));
#endif
#ifndef QCONN_WITHOUT_WEBSOCKET
    for (const char* name : {"ws", "wss", "sewiows", "sewiowss", "eftl", "eftls"}) CHECK(found.contains(name));
#endif
    for (const char* name : {"amqp", "amqps"}) CHECK(found.contains(name));
#ifndef QCONN_WITHOUT_TELNET
    CHECK(found.contains("telnet"));
#endif
    CHECK(builtin_catalogue().find("gopher") == nullptr);
}

TEST_CASE("every scheme is documented, and every option has help and an example", "[schemes]") {
    for (const Scheme* scheme : builtin_catalogue().schemes()) {
        CAPTURE(scheme->names.front());
        CHECK_FALSE(scheme->title.empty());
        CHECK_FALSE(scheme->help.empty());
        CHECK_FALSE(scheme->family.empty());
        CHECK(scheme->example_url.find("://") != std::string::npos);
        CHECK_FALSE(scheme->operations.empty());
        CHECK(scheme->clients.size() >= 2);  // its own type and Client
        for (const OptionSpec& option : scheme->options) {
            CAPTURE(option.name);
            CHECK_FALSE(option.help.empty());
            CHECK_FALSE(option.help.ends_with('.'));
            CHECK_FALSE(option.example.is_null());
            if (!option.fallback_text.empty()) CHECK(option.fallback.is_null());
        }
        std::vector<OperationSpec> operations = scheme->operations;
        if (scheme->other_operation) operations.push_back(*scheme->other_operation);
        for (const OperationSpec& operation : operations) {
            CAPTURE(operation.name);
            CHECK_FALSE(operation.help.empty());
            CHECK(operation.run);
        }
    }
}

TEST_CASE("a user without a password is masked where it may be a token, and shown where it is a name", "[schemes]") {
    const auto shown = [](const char* url, const char* options = "") {
        Registry registry;
        registry.add(test::define(url, options).definition);
        return registry.info("test").url;
    };
    CHECK(shown("ftp://edi@h/in") == "ftp://edi@h/in");
    CHECK(shown("smtp://edi@h", "token: x") == "smtp://edi@h");
    CHECK(shown("pop3://edi@h", "token: x") == "pop3://edi@h");
    CHECK(shown("ftp://edi:secret@h/in") == "ftp://edi:<masked>@h/in");
#ifndef QCONN_WITHOUT_SSH
    CHECK(shown("sftp://edi@h") == "sftp://edi@h");
#endif
#ifndef QCONN_WITHOUT_HTTP
    CHECK(shown("rests://token@h/api") == "rests://<masked>@h/api");
#endif
}

TEST_CASE("an option has the same meaning in every scheme that has it", "[schemes]") {
    for (const Scheme* one : builtin_catalogue().schemes()) {
        for (const Scheme* other : builtin_catalogue().schemes()) {
            for (const OptionSpec& option : one->options) {
                const OptionSpec* same = other->option(option.name);
                if (same == nullptr) continue;
                CAPTURE(option.name);
                if (one->family != other->family && option.name == "version") continue;  // of the protocol
                CHECK(same->type == option.type);
                CHECK(same->unit == option.unit);
                CHECK(same->sensitive == option.sensitive);
                if (option.name == "client_id" || option.name == "client_secret" || option.name == "api") continue;  // each vendor's own
                // What an API takes only in one form, and what it wants by default.
                const bool of_vendor =
                    one->family != other->family && (option.name == "data" || option.name == "send_encoding" || option.name == "no_charset" ||
                                                     option.name == "assume_encoding" || option.name == "oauth2_grant_type");
                if (of_vendor) continue;
                // Of a log-in, or of what is sent: what it is for, and when it counts, is the protocol's.
                if (one->family != other->family &&
                    (option.name == "username" || option.name == "password" || option.name == "headers" || option.name == "token"))
                    continue;
                // Taken for the sake of definitions that have them, and without effect there.
                const auto is_idle = [](const OptionSpec& spec) { return spec.help.starts_with("Of HTTP; taken"); };
                if (is_idle(*same) || is_idle(option)) continue;
                CHECK(same->help == option.help);
                // Mail and TELNET are as patient as Qorus is with them.
                if (one->family != other->family && (option.name == "connect_timeout" || option.name == "timeout")) continue;
                CHECK(same->fallback == option.fallback);
            }
        }
    }
}

TEST_CASE("options that hold secrets are marked", "[schemes]") {
    for (const Scheme* scheme : builtin_catalogue().schemes()) {
        for (const char* name : {"password", "token", "apikey", "client_secret", "appsecret", "aws_secret", "aws_token", "ssl_key_data",
                                 "ssl_key_password", "ssl_cert_data"}) {
            if (const OptionSpec* option = scheme->option(name)) CHECK(option->sensitive);
        }
    }
}
