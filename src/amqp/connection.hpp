// SPDX-License-Identifier: Apache-2.0
/// Carries out what an Engine wants, on one loop; keeps sessions and links over reconnections; and takes what any thread wants to it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/amqp/amqp_options.hpp>
#include <qconn/auth/oauth2.hpp>
#include <qconn/base/deadline.hpp>
#include <qconn/base/operation.hpp>
#include <qconn/net/runtime.hpp>

#include "amqp/engine.hpp"
#include "amqp/links.hpp"
#include "amqp/live_settings.hpp"
#include "amqp/settings.hpp"
#include "amqp/transport.hpp"
#include "net/runtime_impl.hpp"
#include "net/timer.hpp"
#include "net/waiting.hpp"

namespace qconn::amqp {

/// @note Thread-safe, but for what is marked as the loop's. Lives as long as anything is under way; shut() ends that.
class Connection final : public std::enable_shared_from_this<Connection>, private Host, private TransportHandler {
    struct Key {};

public:
    static std::shared_ptr<Connection> make(AmqpOptions options, const Runtime& runtime);
    Connection(Key, std::shared_ptr<const Settings> settings, const Runtime& runtime);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() override;

    const AmqpOptions& options() const noexcept { return settings_->options; }
    const Settings& settings() const noexcept { return *settings_; }
    /// What may be other than in options().
    LiveSettings& live() noexcept { return live_; }
    const LiveSettings& live() const noexcept { return live_; }
    const std::string& label() const noexcept { return settings_->options.label; }
    /// For blocking calls. @throws Error INVALID-ARGUMENT on an I/O thread of the runtime
    void refuse_on_loop() const;
    void set_handlers(AmqpHandlers handlers);
    /// What a callback is to be put into so that the client knows of its operation, for handles that are no clients. Until shut().
    template <class T>
    Callback<T> wrapped(Callback<T> callback);
    void set_holder(UniqueFunction<std::shared_ptr<void>()> holder);

    Operation connect(Deadline deadline, Callback<AmqpInfo> callback);
    Operation close(Deadline deadline, Callback<void> callback);
    bool is_open() const noexcept { return open_.load(std::memory_order_acquire); }
    std::optional<AmqpInfo> info() const;

    Operation open_link(std::shared_ptr<Link> link, Deadline deadline, Callback<std::shared_ptr<Link>> callback);
    Operation close_link(std::shared_ptr<Link> link, Deadline deadline, Callback<void> callback);
    Operation close_session(std::string name, Deadline deadline, Callback<void> callback);
    Operation ping(Deadline deadline, Callback<void> callback);
    /// Runs it on the loop, and waits for it. On the loop: at once.
    std::vector<AmqpLinkInfo> links();
    AmqpLinkInfo link_info(const Link& link);
    std::vector<AmqpSessionInfo> sessions();

    /// Everything ends as cancelled, handlers are not called any more, and a running one is waited for.
    void shut() noexcept;

    // For links and those who wait:

    /// Runs it on the loop, in the order of the calls.
    void post(UniqueFunction<void()> command);
    net::Loop& loop() const noexcept { return *loop_; }
    Error labelled(Error error) const;
    Error stopped(bool cancelled, std::string_view what) const;
    void callback_threw(const char* what) const;
    bool is_silenced() const noexcept { return silenced_.load(); }
    // The loop's:
    void settled();
    void ensure_connection();
    bool is_over() const noexcept { return over_; }
    /// Null while there is no open connection.
    Engine* engine() noexcept { return is_open() ? engine_.get() : nullptr; }
    /// Calls a handler of the user's; false: it threw.
    template <class Call>
    bool tell_user(Call&& call) noexcept;
    /// Output, or a deadline, may have come about.
    void poke();
    /// The same, when the turn of the loop is over.
    void poke_later();
    Error not_connected(std::string_view what) const;
    std::uint64_t generation() const noexcept { return generation_; }
    /// The peer can drain.
    bool drains() const noexcept { return drains_; }
    bool answer(const std::string& session, std::uint64_t generation, std::uint32_t delivery_id, const AmqpOutcome& outcome);

private:
    enum class Stage : std::uint8_t { idle, dialing, open, closing, pausing };
    struct SessionEntry {
        enum class Stage : std::uint8_t { wanted, beginning, open, ending } stage{Stage::wanted};
        std::uint32_t number{0};
        std::list<std::shared_ptr<Wait<void>>> closing;
    };

    class Calls;

    void run_commands();
    void dial();
    void dial_now();
    /// @param refused  null: none was
    void ask_token(TokenPtr refused);
    void attempt_failed(Error why);
    void lost(Error why);
    void end_transport(bool finish);
    void opened();
    void on_connect_timeout();
    void resume_links();
    void want_session(const std::string& name);
    void attach(Link& link);
    void end_link(Link& link, const Error& why);
    void forget_link(const Link& link);
    void rearm();
    void try_close();
    void end_closes();
    void fail_waits(const Error& why);
    void log(LogLevel level, std::string_view event, const std::string& text) const;
    Link* link_of(std::uint32_t number) noexcept { return number < by_number_.size() ? by_number_[number] : nullptr; }
    std::string shown() const { return settings_->shown[host_]; }

    // Host:
    void on_open(const Open& remote) override;
    void on_begun(std::uint32_t session) override;
    void on_ended(std::uint32_t session, const AmqpCondition& why) override;
    void on_attached(std::uint32_t link, const Attach& remote) override;
    void on_detached(std::uint32_t link, bool closed, const AmqpCondition& why) override;
    void on_sendable(std::uint32_t link) override;
    void on_drained(std::uint32_t link) override;
    Answer on_delivery(std::uint32_t link, const Incoming& message) override;
    void on_outcome(std::uint32_t link, std::uint64_t number, const Outcome& outcome) override;
    void on_end(const Error* why) override;
    void on_frame(bool out, std::uint16_t channel, Descriptor what, std::string_view body, std::size_t payload) override;

    // TransportHandler:
    void on_up(const std::string& peer, const std::optional<TlsInfo>& tls) override;
    std::size_t on_bytes(std::string_view bytes) override;
    std::size_t wanted() const noexcept override { return engine_ ? engine_->wanted() : 0; }
    void on_turn() override;
    std::string_view output() const noexcept override { return engine_ ? engine_->output() : std::string_view{}; }
    void on_written(std::size_t size) override;
    void on_eof() override;
    void on_down(Error error) override;

    const std::shared_ptr<const Settings> settings_;
    LiveSettings live_{settings_->options};
    const Runtime runtime_;
    const std::shared_ptr<net::Loop> loop_;
    std::atomic<bool> open_{false};

    mutable std::mutex mutex_;
    // Guarded by mutex_:
    std::vector<UniqueFunction<void()>> commands_;
    bool scheduled_{false};
    std::shared_ptr<const AmqpHandlers> handlers_;
    UniqueFunction<std::shared_ptr<void>()> holder_;
    std::optional<AmqpInfo> info_;

    std::mutex calling_;  // held while a handler runs
    std::atomic<bool> silenced_{false};

    // The loop's:
    std::mt19937_64 random_;
    Stage stage_{Stage::idle};
    bool calls_{false};  // calling_ is held
    bool turn_{false};   // settled() follows
    bool over_{false};
    bool closed_by_user_{false};
    bool drains_{true};
    bool fresh_{false};  // the peer has opened it, and opened() has yet to come
    std::size_t host_{0};
    std::size_t tried_{0};  // hosts in this round
    int attempt_{0};        // that failed in a row
    Clock::time_point opened_at_{};
    std::uint64_t generation_{0};
    std::optional<Error> trouble_;
    std::shared_ptr<Transport> transport_;
    std::unique_ptr<Engine> engine_;
    std::vector<std::unique_ptr<Engine>> former_;  // which may be on the stack
    std::optional<TlsInfo> tls_;
    std::unique_ptr<net::Timer> connect_timer_;
    TokenPtr token_;  // of the log-in that is under way
    Operation token_call_;
    std::uint64_t token_round_{0};
    bool token_renewed_{false};
    std::optional<Error> refusal_;  // of token_
    std::unique_ptr<net::Timer> pause_timer_;
    std::unique_ptr<net::Timer> close_timer_;
    std::unique_ptr<net::Timer> timer_;
    Clock::time_point armed_{Clock::time_point::max()};
    std::map<std::string, SessionEntry, std::less<>> sessions_;
    std::map<std::string, std::shared_ptr<Link>, std::less<>> links_;
    std::vector<Link*> by_number_;
    std::vector<std::shared_ptr<Link>> fresh_links_;  // attached by what is being read
    std::list<std::shared_ptr<Wait<AmqpInfo>>> connects_;
    std::list<std::shared_ptr<Wait<void>>> closes_;
    std::list<std::shared_ptr<Wait<void>>> pings_;
};

template <class T>
Callback<T> Connection::wrapped(Callback<T> callback) {
    std::shared_ptr<void> hold;
    {
        const std::scoped_lock lock{mutex_};
        if (holder_) hold = holder_();
    }
    return [hold = std::move(hold), callback = std::move(callback)](Result<T> result) mutable {
        const auto until_the_end = std::move(hold);
        auto once = std::move(callback);
        if (once) once(std::move(result));
    };
}

template <class Call>
bool Connection::tell_user(Call&& call) noexcept {
    // Once for all that comes of one read or write.
    std::unique_lock<std::mutex> running{calling_, std::defer_lock};
    if (!calls_) running.lock();
    if (silenced_.load(std::memory_order_relaxed)) return true;
    try {
        call();
        return true;
    } catch (const std::exception& e) { callback_threw(e.what()); } catch (...) {
        callback_threw("something that is no exception");
    }
    return false;
}

}  // namespace qconn::amqp
