// SPDX-License-Identifier: Apache-2.0
#include "cli/exchanges.hpp"

#ifndef QCONN_WITHOUT_HTTP

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>

#include <qconn/http/trace.hpp>

#include "cli/output.hpp"

namespace qconn::cli {
namespace {

/// Why it was sent, where that does not go without saying.
std::string_view cause_text(HttpTraceCause cause) noexcept {
    switch (cause) {
        case HttpTraceCause::call: return {};
        case HttpTraceCause::redirect: return "the answer led elsewhere";
        case HttpTraceCause::reconnect: return "the server had closed the kept connection; once more";
        case HttpTraceCause::authorization: return "that was refused; once more with another authorization";
    }
    return {};
}

bool is_text(std::string_view body) {
    const auto odd =
        std::count_if(body.begin(), body.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t'; });
    return odd == 0;
}

class ExchangeLines {
public:
    void add(char mark, std::string_view text) { ((out_ += mark) += text.empty() ? "" : " " + printable(text)) += '\n'; }
    void headers(char mark, const Headers& headers) {
        for (const auto& [name, value] : headers) add(mark, name + ": " + value);
    }
    void body(char mark, std::string_view body, std::size_t whole, std::string_view type) {
        if (whole == 0) return;
        const std::string size = std::to_string(whole) + " bytes";
        if (body.empty() || !is_text(body)) return add('*', "a body of " + size + (type.empty() ? "" : " of ") + std::string{type});
        add(mark, {});
        std::string_view rest = body;
        while (!rest.empty()) {
            std::string_view line = rest.substr(0, rest.find('\n'));
            rest.remove_prefix(std::min(line.size() + 1, rest.size()));
            if (line.ends_with('\r')) line.remove_suffix(1);
            add(mark, line);
        }
        if (body.size() < whole && body.size() >= HttpTraceOptions{}.max_body) add('*', "… of a body of " + size);
    }
    std::string take() { return std::move(out_); }

private:
    std::string out_;
};

std::string way_text(const HttpCallInfo& info) {
    std::string text = info.remote_address.empty() ? "over a UNIX socket"
                                                   : (info.connection_reused ? "on the kept connection to " : "connected to ") + info.remote_address;
    if (!info.tls_info) return text;
    const TlsInfo& tls = *info.tls_info;
    text += ", " + tls.version + ", " + tls.cipher + (tls.alpn.empty() ? "" : ", " + tls.alpn) + (tls.session_reused ? ", an earlier session" : "");
    if (!tls.chain.empty()) text += ", certificate of " + tls.chain.front().subject;
    return text + (tls.verdict.empty() ? "" : ": " + tls.verdict);
}

/// @param answered  else there is no first byte of anything
std::string times_text(const HttpCallInfo& info, bool answered) {
    using std::chrono::nanoseconds;
    const std::array<std::pair<std::string_view, std::chrono::nanoseconds>, 5> phases{{{"resolve", info.resolve},
                                                                                       {"connect", info.connect},
                                                                                       {"tls", info.tls},
                                                                                       {"first byte", answered ? info.first_byte : nanoseconds{0}},
                                                                                       {"receive", answered ? info.receive : nanoseconds{0}}}};
    std::string text;
    for (const auto& [name, time] : phases)
        if (time.count() > 0) (text += text.empty() ? "" : ", ").append(name).append(" ").append(duration_text(time));
    return text + (text.empty() ? "" : "; ") + duration_text(info.total) + " since the call began";
}

}  // namespace

std::string exchange_text(const HttpTraceEvent& event) {
    ExchangeLines lines;
    if (const auto cause = cause_text(event.cause); !cause.empty()) lines.add('*', cause);
    lines.add('>', event.request.method + " " + event.request.path);
    lines.headers('>', event.request.headers);
    lines.body('>', event.request.body, event.request_bytes, event.request.headers.get("Content-Type"));
    const HttpResponse& answer = event.response;
    if (answer.status != 0) {
        lines.add('*', way_text(answer.info));
        lines.add('<', answer.info.version + " " + std::to_string(answer.status) + (answer.reason.empty() ? "" : " " + answer.reason));
        lines.headers('<', answer.headers);
        lines.body('<', answer.body, event.response_bytes, answer.headers.get("Content-Type"));
    }
    lines.add('*', times_text(answer.info, answer.status != 0));
    if (answer.status == 0 && !event.error.empty()) lines.add('*', "no answer: " + std::string{event.error});
    return lines.take();
}

struct Exchanges::Impl {
    explicit Impl(const std::string& connection)
        : tracing{connection, [this](const HttpTraceEvent& event) {
                      any = true;
                      std::fputs(exchange_text(event).c_str(), stderr);
                  }} {}
    std::atomic<bool> any{false};
    HttpTracing tracing;
};

Exchanges::Exchanges(const std::string& connection) : impl_{std::make_unique<Impl>(connection)} {}
Exchanges::~Exchanges() = default;
bool Exchanges::any() const noexcept { return impl_->any; }

}  // namespace qconn::cli

#else

namespace qconn::cli {

struct Exchanges::Impl {};
Exchanges::Exchanges(const std::string&) {}
Exchanges::~Exchanges() = default;
bool Exchanges::any() const noexcept { return false; }

}  // namespace qconn::cli

#endif
