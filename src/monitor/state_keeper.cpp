// SPDX-License-Identifier: Apache-2.0
#include "monitor/state_keeper.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <system_error>
#include <thread>
#include <utility>

#include "core/file_replacement.hpp"
#include "core/load.hpp"
#include "core/whole_file.hpp"

namespace qconn {

namespace {

constexpr std::size_t k_most_bytes = 256U << 20U;

}  // namespace

MonitorSnapshot read_monitor_state(const std::string& path) {
    const std::string what = "reading the state of a monitor from \"" + path + "\" failed: ";
    std::string text;
    if (const int error = core::read_whole_file(path, k_most_bytes, text); error != 0)
        throw make_error(error == EFBIG ? Errc::limit : Errc::system, what + core::file_problem(error, k_most_bytes))
            .with_reason(core::file_reason(error));
    Result<monitor::KeptState> state = monitor::read_state(text);
    if (!state) {
        Error error = state.error();
        throw error.with_prefix(what);
    }
    return monitor::snapshot_of(std::move(state).value());
}

namespace monitor {

StateKeeper::StateKeeper(Runtime runtime, std::shared_ptr<net::Loop> loop, std::string path, Gather gather)
    : runtime_{std::move(runtime)}, loop_{std::move(loop)}, path_{std::move(path)}, gather_{std::move(gather)}, is_owner_{lock()} {
    if (!is_owner_)
        tell(LogLevel::error, "monitor-state-in-use",
             "another monitor keeps its state in \"" + path_ + "\"; this one neither reads nor writes it. Give each monitor a file of its own");
}

bool StateKeeper::lock() {
    // A file beside it, as the one with the state is replaced by every writing.
    lock_.reset(::open((core::real_path(path_) + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!lock_) return true;  // whatever is wrong will be said by the writing
    const auto until = Clock::now() + k_handover;
    while (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR) continue;
        if (errno != EWOULDBLOCK) return true;  // a file system without locks
        if (runtime_.on_io_thread() || Clock::now() >= until) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    return true;
}

void StateKeeper::tell(LogLevel level, std::string_view event, const std::string& text) const {
    runtime_.log().write({level, {}, event, text, {{"file", path_}}});
}

std::optional<KeptState> StateKeeper::load() const {
    if (!is_owner_) return std::nullopt;
    std::string text;
    std::string problem;
    if (const int error = core::read_whole_file(path_, k_most_bytes, text); error == ENOENT) {
        return std::nullopt;
    } else if (error != 0) {
        problem = "cannot be read: " + core::file_problem(error, k_most_bytes);
    } else {
        Result<KeptState> state = read_state(text);
        if (state) return std::move(state).value();
        problem = "cannot be used: " + std::string{state.error().message()};
    }
    const std::string aside = path_ + ".bad";
    const bool moved = std::rename(path_.c_str(), aside.c_str()) == 0;
    const std::string then = moved ? "the file is now \"" + aside + "\"" : "it cannot be renamed either: " + std::generic_category().message(errno);
    tell(LogLevel::error, "monitor-state-broken",
         "the state of the monitor in \"" + path_ + "\" " + problem + "; " + then + ". What was down is found out and told anew");
    return std::nullopt;
}

void StateKeeper::changed() {
    dirty_ = true;
    if (asked_.exchange(true)) return;
    loop_->post([weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->arm();
    });
}

void StateKeeper::arm() {
    if (closed_ || (!dirty_ && !running_)) return;
    if (!timer_) timer_.emplace(*loop_);
    const auto now = Clock::now();
    timer_->arm(Deadline{std::max(now + (dirty_ ? k_gather : beat_), not_before_)}, [weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self) return;
        self->asked_ = true;  // until it is written
        try {
            self->runtime_.impl().post_blocking([self] {
                const auto begun = Clock::now();
                if (!self->closed_) self->write(k_patience);
                const auto took = Clock::now() - begun;
                self->loop_->post([self, took] {
                    self->not_before_ = Clock::now() + std::max<Clock::duration>(k_pause, 50 * took);
                    self->beat_ = std::max<Clock::duration>(k_beat, 300 * took);
                    self->asked_ = self->dirty_.load();
                    self->arm();
                });
            });
        } catch (const std::exception&) {  // no thread for it now
            self->not_before_ = Clock::now() + k_pause;
            self->arm();
        }
    });
}

void StateKeeper::write_now(Clock::duration patience) {
    {
        // What it writes may be what the caller means.
        std::unique_lock lock{mutex_};
        if (!written_.wait_for(lock, patience, [this] { return !writing_; })) return;
    }
    if (dirty_) write(patience);
}

std::optional<std::string> StateKeeper::replace_file() {
    if (!is_owner_) return std::nullopt;
    try {
        core::FileReplacement file{core::real_path(path_)};
        if (!gather_([&file](std::string_view text) { file.write(text); })) return std::nullopt;
        return file.commit();
    } catch (const std::exception& error) { return error.what(); }
}

void StateKeeper::write(Clock::duration patience) {
    {
        std::unique_lock lock{mutex_};
        if (!written_.wait_for(lock, patience, [this] { return !writing_; }) || ended_) return;
        writing_ = true;
    }
    struct Done {
        StateKeeper& keeper;
        ~Done() {
            const std::scoped_lock lock{keeper.mutex_};
            keeper.writing_ = false;
            keeper.written_.notify_all();
        }
    } const done{*this};
    dirty_ = false;
    const std::optional<std::string> problem = replace_file();
    if (!problem) return;
    if (!problem->empty()) {
        dirty_ = true;
        if (!std::exchange(failed_, true))
            tell(LogLevel::error, "monitor-state-not-written",
                 "the state of the monitor cannot be written to \"" + path_ + "\": " + *problem +
                     "; it is tried again, until then a restart knows only what was written before");
    } else if (std::exchange(failed_, false)) {
        tell(LogLevel::info, "monitor-state-written", "the state of the monitor is written to \"" + path_ + "\" again");
    }
}

bool StateKeeper::end(Clock::duration patience) noexcept {
    std::unique_lock lock{mutex_};
    ended_ = true;
    return written_.wait_for(lock, patience, [this] { return !writing_; });
}

void StateKeeper::set_running(bool running) {
    if (std::exchange(running_, running) != running) changed();
}

void StateKeeper::close() noexcept {
    closed_ = true;
    timer_.reset();
}

}  // namespace monitor

}  // namespace qconn
