// SPDX-License-Identifier: Apache-2.0
/// What a command that runs until it is stopped needs of the system: signals, a stream that never hangs, keys, a full screen.
#pragma once

#include <termios.h>

#include <csignal>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/deadline.hpp>
#include <qconn/monitor/event.hpp>

#include "cli/screen.hpp"

namespace qconn::cli {

/// A descriptor that is closed when it goes.
class Descriptor {
public:
    explicit Descriptor(int fd) noexcept : fd_{fd} {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor();
    int get() const noexcept { return fd_; }

private:
    int fd_;
};

/// Signals as something to wait for. They are blocked for this thread and for those that it starts from then on.
class Signals {
public:
    explicit Signals(const std::vector<int>& numbers);
    int descriptor() const noexcept { return fd_.get(); }
    /// The next one that has come, or 0.
    int take() noexcept;
    /// Leaves it for take().
    bool pending() const noexcept;

private:
    static int open(const std::vector<int>& numbers);
    Descriptor fd_;
};

/// Events on their way from the monitor's threads to the one that writes. Thread-safe.
class Inbox {
public:
    Inbox();
    void put(const Event& event);
    std::vector<Event> take();
    int descriptor() const noexcept { return fd_.get(); }

private:
    std::mutex mutex_;
    std::vector<Event> events_;  // guarded by mutex_
    Descriptor fd_;
};

/// Standard output in pieces that never block for long: a reader that does not read cannot keep the tool from ending.
class Stream {
public:
    /// Waits for the reader; after a signal only a moment. False: the reader has gone, or did not read in that moment.
    /// @throws OutputError
    bool write(std::string_view text, const Signals& signals);
    /// A signal that ends the program has been taken: from now on only a moment.
    void hurry() noexcept { hurried_ = true; }

private:
    bool hurried_{false};
};

/// The keys of the terminal one by one, and not shown, for as long as it lives; then the terminal is as it was. Gives none where standard input is no
/// terminal, or belongs to another job.
class Keyboard {
public:
    Keyboard() noexcept;
    Keyboard(const Keyboard&) = delete;
    Keyboard& operator=(const Keyboard&) = delete;
    ~Keyboard();
    bool there() const noexcept { return before_.has_value() && !ended_; }
    /// The next key that has come, or 0.
    char take() noexcept;

private:
    std::optional<termios> before_;
    bool ended_{false};
};

/// For poll(): -1 for never.
int poll_time(Deadline until) noexcept;

struct Wake {
    int signal{0};
    char key{0};
    bool reader_gone{false};
};

/// Waits for a signal, an event, a key, the end of the reader, or the deadline.
/// @param inbox     null: not for events
/// @param keyboard  null: not for keys
Wake wait_for(Signals& signals, const Inbox* inbox, Keyboard* keyboard, Deadline until);

/// As Ctrl-Z does to programs that do nothing about it; returns when the job goes on. Nothing happens where nobody could make it go on.
void suspend_job() noexcept;

TerminalSize terminal_size() noexcept;

/// The terminal's second screen for as long as it lives; what was there before comes back.
class FullScreen {
public:
    FullScreen();
    FullScreen(const FullScreen&) = delete;
    FullScreen& operator=(const FullScreen&) = delete;
    ~FullScreen();
    /// The text that replaces what is shown by these lines.
    static std::string frame(const std::vector<std::string>& lines);
};

}  // namespace qconn::cli
