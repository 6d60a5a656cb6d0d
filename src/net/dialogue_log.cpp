// SPDX-License-Identifier: Apache-2.0
#include "net/dialogue_log.hpp"

#include <algorithm>
#include <cstddef>
#include <exception>
#include <optional>
#include <thread>
#include <vector>

#include "base/redaction.hpp"
#include "base/text.hpp"
#include "net/stream.hpp"

namespace qconn {

std::string_view DialogueLine::mark() const noexcept {
    switch (kind) {
        case Kind::sent: return "> ";
        case Kind::received: return "< ";
        case Kind::noted: break;
    }
    return "* ";
}

DialogueSource::~DialogueSource() = default;

namespace net {
namespace {

constexpr std::size_t k_longest_shown = 4'096;

}  // namespace

struct DialogueLog::Listener {
    explicit Listener(DialogueListener f) : function{std::move(f)} {}
    const DialogueListener function;
    // Guarded by the mutex of the log:
    std::vector<std::thread::id> inside;  // that are being called
    bool has_thrown{false};
};

DialogueLog::DialogueLog(Options options, Log log)
    : options_{options.family, std::move(options.label), options.log, options.dbglog, {}}, log_{std::move(log)} {
    set_listener(std::move(options.listener));
}

void DialogueLog::add_secret(const Secret& secret) {
    const std::scoped_lock lock{mutex_};
    mask_.add(secret);
}

std::string DialogueLog::masked(std::string text) const {
    const std::scoped_lock lock{mutex_};
    return mask_.apply(std::move(text));
}

void DialogueLog::set_listener(DialogueListener listener) {
    auto other = listener ? std::make_shared<Listener>(std::move(listener)) : nullptr;
    std::unique_lock lock{mutex_};
    listener_.swap(other);
    listened_to_.store(listener_ != nullptr, std::memory_order_relaxed);
    if (!other) return;
    // Whoever is called from inside it would wait for himself.
    const auto mine = std::this_thread::get_id();
    left_.wait(lock, [&] { return std::all_of(other->inside.begin(), other->inside.end(), [mine](std::thread::id one) { return one == mine; }); });
}

void DialogueLog::tell(DialogueLine::Kind kind, Weight weight, std::string_view event, std::string_view text, std::uint64_t session) noexcept {
    try {
        const bool is_act = weight == Weight::act && options_.log;
        const LogLevel level = is_act ? LogLevel::info : LogLevel::debug;
        const bool logs = (is_act || options_.dbglog) && log_.enabled(level);
        const bool listened_to = listened_to_.load(std::memory_order_relaxed);
        if (!logs && !listened_to) return;
        // Masked before it is cut: of half a secret nobody would know that it is one.
        std::string shown = redacted(options_.label, masked(std::string{text}));
        shown = text::printable(text::shorten(shown, k_longest_shown));
        const DialogueLine line{kind, shown, session};
        if (logs) {
            const std::string whole_event = std::string{options_.family}.append(1, '-').append(event);
            const std::string whole = std::string{line.mark()} + shown;
            log_.write({level, options_.label, whole_event, whole, {{"session", std::to_string(session)}}});
        }
        if (listened_to) call_listener(line);
    } catch (const std::exception&) {  // no memory
        // What is done goes on without having been told.
    }
}

void DialogueLog::call_listener(const DialogueLine& line) {
    std::shared_ptr<Listener> listener;
    const auto mine = std::this_thread::get_id();
    {
        const std::scoped_lock lock{mutex_};
        listener = listener_;
        if (!listener) return;
        listener->inside.push_back(mine);
    }
    std::optional<std::string> thrown;
    try {
        listener->function(line);
    } catch (const std::exception& e) { thrown = e.what(); } catch (...) {
        thrown = "something that is no std::exception";
    }
    bool is_news = false;
    {
        const std::scoped_lock lock{mutex_};
        listener->inside.erase(std::find(listener->inside.begin(), listener->inside.end(), mine));
        is_news = thrown && !std::exchange(listener->has_thrown, true);
    }
    left_.notify_all();
    if (is_news) log_.write({LogLevel::error, options_.label, "listener-threw", *thrown, {{"source", "dialogue"}}});
}

void SessionLog::sent_lines(std::string_view lines) const {
    if (!is_on()) return;
    while (!lines.empty()) {
        std::string_view line = lines.substr(0, lines.find('\n'));
        lines.remove_prefix(std::min(line.size() + 1, lines.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        sent(line);
    }
}

void SessionLog::sent_secret(std::string_view before, std::string_view secret) const {
    if (!log_) return;
    log_->add_secret(Secret{secret});
    if (is_on()) sent(std::string{before}.append(k_masked));
}

void SessionLog::connected(const Stream& stream) const {
    if (is_on()) told("connected", "connected to " + stream.peer());
}

void SessionLog::logged_in(std::string_view user, const Stream& stream) const {
    if (!is_on()) return;
    std::string text = user.empty() ? "ready, without a log-in" : "logged in as " + std::string{user};
    if (const auto tls = stream.tls_info()) text += ", under " + tls->version + ", " + tls->cipher;
    told(user.empty() ? "ready" : "logged-in", text);
}

void SessionLog::noted_size(std::string_view what, std::uint64_t bytes) const {
    if (is_on()) noted(std::string{what}.append(": ").append(std::to_string(bytes)).append(" bytes"));
}

}  // namespace net
}  // namespace qconn
