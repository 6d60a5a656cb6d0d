// SPDX-License-Identifier: Apache-2.0
/// The real binary as a child process.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace qconn::test {

struct Outcome {
    /// Exit code; negative signal number where a signal ended it.
    int code{0};
    std::string out;
    std::string err;
};

struct Launch {
    std::string program;
    std::vector<std::string> arguments;
    /// "NAME=value", in addition to those of this process.
    std::vector<std::string> environment{};
    std::string directory{};
    /// Standard output and input are a terminal of this size; standard error as well.
    bool terminal{false};
};

/// A running child. Killed with this object where it still runs.
class Process {
public:
    explicit Process(const Launch& launch);
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process();

    /// The next line of standard output without its newline; absent at its end or after the limit.
    std::optional<std::string> line(std::chrono::milliseconds limit = std::chrono::seconds{20});
    /// Reads until what has come from standard output holds `text`. False at its end or after the limit.
    bool wait_for(std::string_view text, std::chrono::milliseconds limit = std::chrono::seconds{20});
    /// What has come and was not taken by line().
    const std::string& pending() const noexcept { return out_; }
    std::string take() { return std::exchange(out_, {}); }
    void signal(int number) const;
    /// At its terminal.
    void type(std::string_view keys) const;
    void resize(unsigned short rows, unsigned short columns) const;
    /// Its terminal gives whole lines and shows what is typed, as shells leave it.
    bool in_line_mode() const;
    /// Bytes of its standard output that wait to be read.
    std::size_t unread() const;
    /// Whether it ends within that time although nobody reads what it writes.
    bool ends_unread(std::chrono::milliseconds limit);
    /// Nobody reads its standard output any more.
    void close_output();
    /// Reads everything to the end and waits. Kills it after the limit (code -9).
    Outcome finish(std::chrono::milliseconds limit = std::chrono::seconds{30});

private:
    bool read_some(std::chrono::steady_clock::time_point end);

    pid_t pid_{-1};
    int out_fd_{-1};
    int err_fd_{-1};
    std::string out_;
    std::string err_;
};

/// The tool, run to its end.
Outcome run_qconn(const std::vector<std::string>& arguments, const std::vector<std::string>& environment = {}, const std::string& directory = {});
/// For a Process of it.
Launch qconn_launch(std::vector<std::string> arguments, std::vector<std::string> environment = {}, std::string directory = {});

}  // namespace qconn::test
