// SPDX-License-Identifier: Apache-2.0
#include "ssh/command.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "net/runtime_impl.hpp"
#include "net/timer.hpp"
#include "ssh/ssh_error.hpp"

namespace qconn::ssh {

namespace {

using IoKind = net::IoResult::Kind;
constexpr std::size_t k_command_block = 256 * 1024;

/// What a caller of ours throws, as an error of this family's.
Error of_caller(const Settings& settings, const char* who) {
    try {
        throw;
    } catch (const Error& error) { return error; } catch (const std::exception& thrown) {
        return ssh_error(SshErrc::stream, std::string{"the "} + who + " of a command on \"" + settings.peer + "\" failed: " + thrown.what(),
                         Phase::body, Reason::local, settings.options.label);
    } catch (...) {
        return ssh_error(SshErrc::stream, std::string{"the "} + who + " of a command on \"" + settings.peer + "\" failed", Phase::body, Reason::local,
                         settings.options.label);
    }
}

/// Where the bytes of a command come from and go to, seen from the loop. What it throws ends the command.
class Ends {
public:
    virtual ~Ends() = default;
    virtual bool takes(bool errors) = 0;  ///< false: not now, resume() comes
    virtual void write(bool errors, std::string_view bytes) = 0;
    enum class Input { bytes, later, end };
    virtual Input read(std::string& to) = 0;
};

/// On the loop itself.
class DirectEnds final : public Ends {
public:
    explicit DirectEnds(const SshCommand& command) : command_{command} {}
    bool takes(bool) override { return true; }
    void write(bool errors, std::string_view bytes) override { (errors ? command_.errors : command_.output)->write(bytes); }
    Input read(std::string& to) override {
        to.resize(k_command_block);
        const std::size_t got = command_.input->read(to.data(), to.size());
        to.resize(got);
        return got == 0 ? Input::end : Input::bytes;
    }

private:
    const SshCommand& command_;
};

class Run;

/// Handed to the thread that waits, piece by piece.
class HandedEnds final : public Ends {
public:
    bool takes(bool) override {
        const std::scoped_lock lock{mutex_};
        return held_ < k_most_held;
    }
    void write(bool errors, std::string_view bytes) override {
        const std::scoped_lock lock{mutex_};
        pieces_.push_back({errors, std::string{bytes}});
        held_ += bytes.size();
        changed_.notify_all();
    }
    Input read(std::string& to) override {
        const std::scoped_lock lock{mutex_};
        if (hand_ == Hand::full) {
            hand_ = Hand::empty;
            to = std::move(input_);
            return to.empty() ? Input::end : Input::bytes;
        }
        if (hand_ == Hand::empty) {
            hand_ = Hand::wanted;
            changed_.notify_all();
        }
        return Input::later;
    }
    void finish(Result<SshResult> result) {
        const std::scoped_lock lock{mutex_};
        result_.emplace(std::move(result));
        changed_.notify_all();
    }

    /// The other side: until the end.
    Result<SshResult> serve(const SshCommand& command, const Settings& settings, Operation operation, const std::function<void()>& resume) {
        std::unique_lock lock{mutex_};
        std::optional<Error> error;  // of source or sink
        for (;;) {
            changed_.wait(lock, [&] { return !pieces_.empty() || hand_ == Hand::wanted || result_; });
            const bool was_full = held_ >= k_most_held;
            std::deque<Piece> pieces = std::exchange(pieces_, {});
            held_ = 0;
            const bool wants = !result_ && hand_ == Hand::wanted;
            if (hand_ == Hand::wanted) hand_ = Hand::filling;
            lock.unlock();
            if (was_full) resume();
            if (!error) {
                const char* who = "sink";
                try {
                    for (const Piece& piece : pieces) (piece.errors ? command.errors : command.output)->write(piece.bytes);
                    who = "source";
                    if (wants) {
                        std::string block(k_command_block, '\0');
                        block.resize(command.input->read(block.data(), block.size()));
                        const std::scoped_lock again{mutex_};
                        input_ = std::move(block);
                        hand_ = Hand::full;
                    }
                } catch (...) {
                    error = of_caller(settings, who);
                    operation.cancel();
                }
                if (wants) resume();
            }
            lock.lock();
            if (result_ && pieces_.empty()) {
                if (error) return *error;
                return std::move(*result_);
            }
        }
    }

private:
    struct Piece {
        bool errors;
        std::string bytes;
    };
    /// Of its input: one piece at a time.
    enum class Hand : std::uint8_t { empty, wanted, filling, full };
    static constexpr std::size_t k_most_held = 4 * k_command_block;
    std::mutex mutex_;
    std::condition_variable changed_;
    // Guarded by mutex_:
    std::deque<Piece> pieces_;
    std::size_t held_{0};
    std::string input_;
    Hand hand_{Hand::empty};
    std::optional<Result<SshResult>> result_;
};

class Run final : public Operation::State, public std::enable_shared_from_this<Run> {
public:
    Run(std::shared_ptr<Sessions> sessions, SshCommand command, Callback<SshResult> callback)
        : sessions_{std::move(sessions)}, command_{std::move(command)}, callback_{std::move(callback)} {}

    /// @param ends  null: direct ones
    Operation start(Deadline deadline, std::shared_ptr<Ends> ends) {
        self_ = shared_from_this();
        ends_ = ends ? std::move(ends) : std::make_shared<DirectEnds>(command_);
        sessions_->loop().post([self = shared_from_this(), deadline] { self->begin(deadline); });
        return Operation{shared_from_this()};
    }

    void cancel() noexcept override {
        if (done()) return;
        try {
            sessions_->loop().post([self = shared_from_this()] { self->stop(true); });
        } catch (const std::exception&) {}  // without memory for a message it ends with its deadline
    }
    bool done() const noexcept override { return done_.load(); }

    void resume() {
        sessions_->loop().post([self = shared_from_this()] { self->advance(); });
    }

private:
    const std::string& label() const { return sessions_->settings().options.label; }

    void begin(Deadline deadline) {
        Purpose purpose;
        purpose.kind = Purpose::Kind::command;
        purpose.what = command_.command;
        purpose.environment = command_.environment;
        timer_ = std::make_unique<net::Timer>(sessions_->loop());
        opening_ =
            sessions_->open(std::move(purpose), deadline, [self = shared_from_this(), deadline](Result<std::unique_ptr<SessionChannel>> result) {
                if (self->done()) return;
                if (!result) return self->finish(result.error());
                self->channel_ = std::move(*result);
                self->channel_->keep_errors();
                if (self->cancelled_) return self->stop(true);  // which came as the channel did
                self->result_.refused_environment = self->channel_->refused_environment();
                self->timer_->arm(deadline, [self] { self->stop(false); });
                self->advance();
            });
    }

    void stop(bool cancelled) {
        if (done()) return;
        cancelled_ = cancelled;
        if (!channel_) return opening_.cancel();  // its callback says the rest
        finish(stopped(cancelled, "running a command on \"" + sessions_->peer() + '"', "waiting for its end", Phase::protocol, label()));
    }

    /// As far as that needs no waiting.
    void advance() {
        if (done() || !channel_) return;
        const auto keep = shared_from_this();
        try {
            const bool more_output = take(false);
            const bool more_errors = !done() && take(true);
            if (done()) return;
            if (!feed() || done()) return;
            if (ended_[0] && ended_[1] && channel_->is_closed()) return end();
            if (more_output || more_errors) return resume();
        } catch (...) { return finish(of_caller(sessions_->settings(), "source or sink")); }
        if (!held_back_) {
            channel_->wait(net::Ready::read, [weak = weak_from_this()] {
                if (const auto self = weak.lock()) self->advance();
            });
        }
    }

    /// @returns whether there may be more
    bool take(bool errors) {
        const bool to_sink = (errors ? command_.errors : command_.output) != nullptr;
        std::string& text = errors ? result_.errors : result_.output;
        if (block_.empty()) block_.resize(k_command_block);
        constexpr int k_most = 8;
        held_back_ = false;
        for (int i = 0; i < k_most; ++i) {
            if (to_sink && !ends_->takes(errors)) {
                held_back_ = true;
                return false;
            }
            const net::IoResult got =
                errors ? channel_->read_errors(block_.data(), block_.size()) : channel_->read_some(block_.data(), block_.size());
            if (got.kind == IoKind::want_read) return false;
            if (got.kind == IoKind::closed) {
                ended_[errors ? 1 : 0] = true;
                return false;
            }
            if (got.kind != IoKind::done) {
                finish(*got.error);
                return false;
            }
            const std::string_view bytes{block_.data(), got.size};
            if (to_sink) {
                ends_->write(errors, bytes);
            } else if (text.size() + bytes.size() > command_.max_output) {
                finish(ssh_error(SshErrc::limit,
                                 "the command on \"" + sessions_->peer() + "\" wrote more than " + std::to_string(command_.max_output) +
                                     " bytes (max_output); it was ended; take its output with a sink",
                                 Phase::body, Reason::limit, label()));
                return false;
            } else {
                text += bytes;
            }
        }
        return true;
    }

    /// What it reads. @returns false where that has ended the command
    bool feed() {
        if (fed_ || channel_->is_closed()) return true;
        for (;;) {
            if (from_ == input_.size()) {
                from_ = 0;
                input_.clear();
                const Ends::Input got = command_.input ? ends_->read(input_) : Ends::Input::end;
                if (got == Ends::Input::later) return true;
                if (got == Ends::Input::end) {
                    fed_ = true;
                    channel_->finish_writing();
                    return true;
                }
            }
            const net::IoResult put = channel_->write_some(std::string_view{input_}.substr(from_));
            if (put.kind == IoKind::want_write) {
                channel_->wait(net::Ready::write, [weak = weak_from_this()] {
                    if (const auto self = weak.lock()) self->advance();
                });
                return true;
            }
            if (put.kind != IoKind::done) {
                // It has ended without reading all: no failure. What broke otherwise is told by the reads.
                fed_ = true;
                return true;
            }
            from_ += put.size;
        }
    }

    void end() {
        const ExitInfo& exit = channel_->exit_info();
        result_.status = exit.status;
        result_.signal = exit.signal;
        result_.signal_message = exit.message;
        result_.core_dumped = exit.core_dumped;
        finish(std::move(result_));
    }

    void finish(Result<SshResult> result) {
        if (done_.exchange(true)) return;
        // Not from inside their own callbacks.
        sessions_->loop().post([channel = std::shared_ptr<SessionChannel>{std::move(channel_)},
                                timer = std::shared_ptr<net::Timer>{std::move(timer_)}, self = std::move(self_)] {});
        auto callback = std::move(callback_);
        if (callback) callback(std::move(result));
    }

    std::shared_ptr<Run> self_;  // until it is done
    const std::shared_ptr<Sessions> sessions_;
    SshCommand command_;
    Callback<SshResult> callback_;
    std::shared_ptr<Ends> ends_;
    std::atomic<bool> done_{false};
    // The loop's:
    Operation opening_;
    std::unique_ptr<net::Timer> timer_;
    std::unique_ptr<SessionChannel> channel_;
    SshResult result_;
    std::string block_;
    std::string input_;
    std::size_t from_{0};
    bool fed_{false};
    bool held_back_{false};
    bool cancelled_{false};
    bool ended_[2]{false, false};
};

}  // namespace

Operation start_command(const std::shared_ptr<Sessions>& sessions, SshCommand command, Deadline deadline, Callback<SshResult> callback) {
    return std::make_shared<Run>(sessions, std::move(command), std::move(callback))->start(deadline, nullptr);
}

SshResult run_command(const std::shared_ptr<Sessions>& sessions, const SshCommand& command, Deadline deadline) {
    const auto ends = std::make_shared<HandedEnds>();
    const auto run = std::make_shared<Run>(sessions, command, [ends](Result<SshResult> result) { ends->finish(std::move(result)); });
    const Operation operation = run->start(deadline, ends);
    return std::move(ends->serve(command, sessions->settings(), operation, [run] { run->resume(); })).value();
}

}  // namespace qconn::ssh
