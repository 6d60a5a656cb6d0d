// SPDX-License-Identifier: Apache-2.0
/// Stand-ins for the APIs of vendors (tests/servers/vendors), and the kinds of connections that reach them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <qconn/http/http_client.hpp>

#include "support/server.hpp"

namespace qconn::test {

/// All of them; one for the test program.
Server& vendors();

/// `NAME: "value"`, a line.
std::string yaml_line(std::string_view name, std::string_view value);

/// One of the stand-ins.
class Vendor {
public:
    /// @param origin  whose port is the connection's
    /// @param server  made by "vendors"
    explicit Vendor(const std::string& name, const std::string& origin = "api", const Server& server = vendors());

    std::string address(const std::string& origin) const;
    std::string address() const { return address(origin_); }
    std::string login(std::string_view name) const { return std::string{about_["login"][name].as_string()}; }
    /// `NAME: "value of that name, or of another"`, a line.
    std::string option(const std::string& name, const std::string& of = {}) const { return yaml_line(name, login(of.empty() ? name : of)); }

    void turn(const Map& knobs);
    /// "requests" or "refused", oldest first.
    List story(std::string_view part);
    /// Requests that were told to stall, and are still waited for.
    int waiting();
    /// Requests of that path, whatever became of them; `*` at the end stands for any rest.
    std::vector<Value> requests(std::string_view path);
    /// Why requests were refused.
    std::vector<std::string> refusals();

private:
    Value about_;
    std::string origin_;
    HttpClient desk_;
};

/// A kind, one object of its API, and how the stand-in of it may be reached.
struct Kind {
    std::string vendor;
    std::string origin;
    std::string scheme;
    std::string url_path;
    std::string options;
    /// Read and written by paths relative to the base path.
    std::string list;
    std::string create;
    Map body;
    /// Where tokens are got; empty: nowhere.
    std::string token_path;
    /// A path that is not there, and how the error for it begins.
    std::string missing;
    std::string missing_name;
    std::string missing_words;
    /// Options with another secret, and the part of the error that is the vendor's own.
    std::string wrong;
    std::string refused_words;
    /// Of the option that holds the secret.
    std::string secret;
};

/// One a way of logging in.
std::vector<Kind> kinds(const Server& server = vendors());

}  // namespace qconn::test
