// SPDX-License-Identifier: Apache-2.0
#include "http/ping_dialogue.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.hpp"
#include "http/http_error.hpp"
#include "http/target.hpp"

namespace qconn::http {

namespace {

constexpr std::string_view k_ping_error = "REST-PING-ERROR";

/// An answer that ends a ping badly.
struct Refusal {
    int status;
    Phase phase;
    Reason reason;
    std::string_view advice;
};

constexpr std::array<Refusal, 3> k_by_server{{
    {401, Phase::auth, Reason::denied, "check user name and password, or the token"},
    {403, Phase::auth, Reason::permission, "these credentials are known there, but may not do this"},
    {407, Phase::proxy, Reason::denied, "put user name and password into the proxy's URL"},
}};

constexpr std::string_view k_not_reached = "the proxy could not reach the target; does it run, and does the proxy's machine know its name?";
constexpr std::array<Refusal, 6> k_by_proxy{{
    {401, Phase::proxy, Reason::denied, "check user name and password in the proxy's URL"},
    {407, Phase::proxy, Reason::denied, "put user name and password into the proxy's URL"},
    {500, Phase::proxy, Reason::unreachable, k_not_reached},  // Tinyproxy
    {502, Phase::proxy, Reason::unreachable, k_not_reached},
    {503, Phase::proxy, Reason::unreachable, k_not_reached},
    {504, Phase::proxy, Reason::timeout, "the target did not answer the proxy"},
}};

template <class Table>
std::optional<Refusal> find(const Table& table, int status) {
    const auto found = std::find_if(std::begin(table), std::end(table), [status](const Refusal& one) { return one.status == status; });
    return found == std::end(table) ? std::nullopt : std::optional<Refusal>{*found};
}

/// Of the target, for the proofs that are about it.
std::optional<Refusal> refused_by_server(PingProof proof, int status) {
    if (status / 100 == 2) return std::nullopt;
    if (std::optional<Refusal> known = find(k_by_server, status)) return known;
    if (proof == PingProof::login) return std::nullopt;
    return Refusal{status, Phase::protocol, Reason::status, "check ping_method and ping_path, or the server's log"};
}

Error make_refusal(const Refusal& refusal, std::string_view what, std::string_view status_line) {
    Error error{HttpErrc::receive, k_ping_error,
                std::string{what} + " was answered with " + std::string{status_line} + "; " + std::string{refusal.advice}};
    return std::move(error).with_phase(refusal.phase).with_reason(refusal.reason).with_retryable(refusal.status / 100 == 5);
}

/// Framing is this file's affair.
bool is_ours(std::string_view name) noexcept {
    return text::iequals(name, "content-length") || text::iequals(name, "transfer-encoding") || text::iequals(name, "connection");
}

class HttpPing final : public Dialogue {
public:
    explicit HttpPing(const HttpPingRequest& request)
        : what_{request.method + " " + shown(request.target)},
          awaited_{"the answer to " + what_},
          keep_{request.keep},
          proof_{request.proof},
          proxy_login_{request.headers.find("Proxy-Authorization") != nullptr},
          max_body_{request.max_body},
          parser_{request.method == "HEAD", request.limits} {
        write(request);
    }

    Step begin(std::string& out) override {
        out += wire_;
        return {};
    }

    Step feed(std::string_view input, bool closed, std::string& out) override {
        static_cast<void>(out);
        Step step;
        step.used = parser_.feed(input);
        if (closed && step.used == input.size()) parser_.end_of_input();
        switch (parser_.state()) {
            case ResponseParser::State::head: return step;
            case ResponseParser::State::body:
                if (keep_ && parser_.body_bytes() <= max_body_) return step;
                break;
            case ResponseParser::State::done: keeps_ = keep_ && parser_.keeps_connection() && step.used == input.size() && !closed; break;
            case ResponseParser::State::failed: return failed(step, problem());
        }
        if (std::optional<Refusal> refusal = refused()) {
            keeps_ = false;
            return failed(step, make_refusal(*refusal, what_, parser_.status_line()));
        }
        step.want = Want::done;
        return step;
    }

    bool keeps_stream() const noexcept override { return keeps_; }
    std::string evidence() const override { return parser_.status_line(); }
    std::string_view awaited() const noexcept override { return awaited_; }

private:
    /// A query may hold keys.
    static std::string shown(std::string_view target) {
        const std::size_t query = target.find('?');
        return query == std::string_view::npos ? std::string{target} : std::string{target.substr(0, query)} + "?…";
    }

    void write(const HttpPingRequest& request) {
        wire_.append(request.method).append(" ").append(request.target).append(" HTTP/1.1\r\n");
        if (request.headers.find("Host") == nullptr) field("Host", request.host);
        for (const auto& [name, value] : request.headers) {
            if (!is_ours(name)) field(name, value);
        }
        if (request.headers.find("User-Agent") == nullptr) field("User-Agent", "qconn");
        if (request.headers.find("Accept") == nullptr) field("Accept", "*/*");
        if (!request.keep) field("Connection", "close");
        const bool takes_body = request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
        if (takes_body || !request.body.empty()) field("Content-Length", std::to_string(request.body.size()));
        wire_.append("\r\n").append(request.body);
    }
    void field(std::string_view name, std::string_view value) { wire_.append(name).append(": ").append(value).append("\r\n"); }

    static Step failed(Step step, Error error) {
        step.want = Want::failed;
        step.error = std::move(error);
        return step;
    }
    Error problem() const {
        const Reason reason = parser_.was_cut() ? Reason::closed : Reason::bad_answer;
        Error error{HttpErrc::receive, k_ping_error, what_ + ": " + parser_.problem()};
        return std::move(error).with_phase(Phase::protocol).with_reason(reason).with_retryable(parser_.was_cut());
    }
    /// What is wrong with the answer.
    std::optional<Refusal> refused() const {
        const int status = parser_.status();
        if (proof_ != PingProof::reached) return refused_by_server(proof_, status);
        // Tinyproxy answers 401 to wrong credentials of the proxy.
        const bool of_proxy = status == 407 || (parser_.made_by_proxy() && (status != 401 || proxy_login_));
        return of_proxy ? find(k_by_proxy, status) : std::nullopt;
    }

    std::string what_;
    std::string awaited_;
    std::string wire_;
    bool keep_;
    PingProof proof_;
    bool proxy_login_;
    bool keeps_{false};
    std::size_t max_body_;
    ResponseParser parser_;
};

[[noreturn]] void refuse(std::string message) { throw make_http_error(HttpErrc::option, std::move(message), Phase::none, Reason::bad_value); }

}  // namespace

std::optional<Error> ping_refusal(PingProof proof, std::string_view what, int status, std::string_view status_line) {
    const std::optional<Refusal> refusal = refused_by_server(proof, status);
    return refusal ? std::optional<Error>{make_refusal(*refusal, what, status_line)} : std::nullopt;
}

std::unique_ptr<Dialogue> make_http_ping(const HttpPingRequest& request) {
    if (!is_token(request.method) || request.method == "CONNECT")
        refuse("the method of a ping is a word such as GET, not \"" + text::printable(request.method) + "\"");
    if (request.target.empty() || request.target.find_first_of(std::string_view{" \t\r\n\0", 5}) != std::string::npos) {
        refuse("the path of a ping must not be empty nor hold blanks or line breaks; encode a blank as %20");
    }
    if (!is_field_value(request.host)) refuse("the host of a ping holds a line break");
    for (const auto& [name, value] : request.headers) {
        if (!is_token(name)) refuse("\"" + text::printable(name) + "\" is no header name");
        if (!is_field_value(value)) refuse("the value of header " + name + " holds a line break; it was not sent");
    }
    return std::make_unique<HttpPing>(request);
}

}  // namespace qconn::http
