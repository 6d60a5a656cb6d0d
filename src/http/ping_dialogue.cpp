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
    {403, Phase::auth, Reason::permission, "these credentials may not do this, or are not known there"},
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

/// A query may hold keys.
std::string shown(std::string_view target) {
    const std::size_t query = target.find('?');
    return query == std::string_view::npos ? std::string{target} : std::string{target.substr(0, query)} + "?…";
}

std::string bytes_of(const HttpPingRequest& request) {
    std::string wire;
    const auto field = [&wire](std::string_view name, std::string_view value) { wire.append(name).append(": ").append(value).append("\r\n"); };
    wire.append(request.method).append(" ").append(request.target).append(" HTTP/1.1\r\n");
    if (request.headers.find("Host") == nullptr) field("Host", request.host);
    for (const auto& [name, value] : request.headers) {
        if (!is_ours(name)) field(name, value);
    }
    if (request.headers.find("User-Agent") == nullptr) field("User-Agent", "qconn");
    if (request.headers.find("Accept") == nullptr) field("Accept", "*/*");
    if (!request.keep) field("Connection", "close");
    const bool takes_body = request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
    if (takes_body || !request.body.empty()) field("Content-Length", std::to_string(request.body.size()));
    wire.append("\r\n").append(request.body);
    return wire;
}

}  // namespace

struct HttpPings::Written {
    std::string what;     ///< for messages
    std::string awaited;  ///< likewise
    std::string wire;
    std::size_t max_body;
    BodyCheck check;
    ResponseLimits limits;
    PingProof proof;
    bool keep;
    bool is_head;
    bool proxy_login;
};

namespace {

class HttpPing final : public Dialogue {
public:
    explicit HttpPing(std::shared_ptr<const HttpPings::Written> request)
        : request_{std::move(request)}, parser_{request_->is_head, request_->limits, request_->check ? request_->max_body : 0} {}

    Step begin(std::string& out) override {
        out += request_->wire;
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
                if ((request_->keep || (request_->check && !refused())) && parser_.body_bytes() <= request_->max_body) return step;
                break;
            case ResponseParser::State::done: keeps_ = request_->keep && parser_.keeps_connection() && step.used == input.size() && !closed; break;
            case ResponseParser::State::failed: return failed(step, problem());
        }
        if (std::optional<Refusal> refusal = refused()) {
            keeps_ = false;
            return failed(step, make_refusal(*refusal, request_->what, parser_.status_line()));
        }
        if (request_->check && parser_.status() / 100 == 2 && parser_.body_bytes() <= request_->max_body) {
            if (std::optional<BodyProblem> problem = request_->check(parser_.body())) return failed(step, error(*problem));
        }
        step.want = Want::done;
        return step;
    }

    bool keeps_stream() const noexcept override { return keeps_; }
    std::string evidence() const override { return parser_.status_line(); }
    std::string_view awaited() const noexcept override { return request_->awaited; }

private:
    static Step failed(Step step, Error error) {
        step.want = Want::failed;
        step.error = std::move(error);
        return step;
    }
    Error problem() const {
        const Reason reason = parser_.was_cut() ? Reason::closed : Reason::bad_answer;
        Error error{HttpErrc::receive, k_ping_error, request_->what + ": " + parser_.problem()};
        return std::move(error).with_phase(Phase::protocol).with_reason(reason).with_retryable(parser_.was_cut());
    }
    /// What is wrong with the answer.
    std::optional<Refusal> refused() const {
        const int status = parser_.status();
        if (request_->proof != PingProof::reached) return refused_by_server(request_->proof, status);
        // Tinyproxy answers 401 to wrong credentials of the proxy.
        const bool of_proxy = status == 407 || (parser_.made_by_proxy() && (status != 401 || request_->proxy_login));
        return of_proxy ? find(k_by_proxy, status) : std::nullopt;
    }

    Error error(const BodyProblem& problem) const {
        Error error{HttpErrc::receive, k_ping_error, request_->what + " was answered with " + parser_.status_line() + ", but " + problem.words};
        return std::move(error).with_phase(Phase::protocol).with_reason(problem.reason);
    }

    const std::shared_ptr<const HttpPings::Written> request_;
    bool keeps_{false};
    ResponseParser parser_;
};

[[noreturn]] void refuse(std::string message) { throw make_http_error(HttpErrc::option, std::move(message), Phase::none, Reason::bad_value); }

}  // namespace

std::optional<Error> ping_refusal(PingProof proof, std::string_view what, int status, std::string_view status_line) {
    const std::optional<Refusal> refusal = refused_by_server(proof, status);
    return refusal ? std::optional<Error>{make_refusal(*refusal, what, status_line)} : std::nullopt;
}

HttpPings::HttpPings(const HttpPingRequest& request) {
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
    Written written{};
    written.what = request.method + " " + shown(request.target);
    written.awaited = "the answer to " + written.what;
    written.wire = bytes_of(request);
    written.max_body = request.max_body;
    written.check = request.check;
    written.limits = request.limits;
    written.proof = request.proof;
    written.keep = request.keep;
    written.is_head = request.method == "HEAD";
    written.proxy_login = request.headers.find("Proxy-Authorization") != nullptr;
    request_ = std::make_shared<const Written>(std::move(written));
}

std::unique_ptr<Dialogue> HttpPings::operator()() const { return std::make_unique<HttpPing>(request_); }

}  // namespace qconn::http
