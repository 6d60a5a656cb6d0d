// SPDX-License-Identifier: Apache-2.0
/// A connection to a TELNET server, and the dialogue over it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/telnet/telnet_client.hpp>

#include "net/call.hpp"
#include "net/stream.hpp"
#include "net/task.hpp"
#include "telnet/engine.hpp"
#include "telnet/prompts.hpp"
#include "telnet/settings.hpp"
#include "telnet/transcript.hpp"

namespace qconn::telnet {

using net::Call;
using net::Task;

/// One call at a time, on the call's loop; between calls it belongs to no loop's thread. What broke it stays: ended().
class Session {
public:
    static Task<std::unique_ptr<Session>> open(Call& call, std::shared_ptr<const Settings> settings, std::shared_ptr<Transcript> transcript,
                                               std::uint16_t columns, std::uint16_t rows);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session() {
        if (ended_.empty()) log_.ended();
    }

    /// @returns what the server said
    Task<std::string> login(Call& call);
    /// @param out  gets lines of the output
    Task<bool> run(Call& call, const std::string& command, std::function<void(std::string_view)> out);
    Task<bool> send(Call& call, std::string text, bool is_secret);
    Task<TelnetMatch> expect(Call& call, const std::vector<Pattern>& patterns);
    std::string read(Call& call);
    /// What comes is the caller's from now on, prompts too.
    void drive_by_hand() noexcept { owes_prompt_ = false; }

    // At once, as far as the system takes it; the rest with what is sent or awaited next.
    void command(TelnetCommand what);
    void control(char byte);
    void resize(std::uint16_t columns, std::uint16_t rows);
    void close() noexcept;

    void attach(net::Loop& loop) noexcept { stream_->move_to(loop); }
    bool is_logged_in() const noexcept { return logged_in_; }
    /// Why nothing more can be said; empty: it can.
    const std::string& ended() const noexcept { return ended_; }
    TelnetSessionInfo info() const;

private:
    enum class More : std::uint8_t { text, silence, closed };

    Session(std::unique_ptr<net::Stream> stream, std::shared_ptr<const Settings> settings, std::shared_ptr<Transcript> transcript,
            EngineSettings engine)
        : settings_{std::move(settings)},
          transcript_{std::move(transcript)},
          log_{transcript_->begin_session()},
          stream_{std::move(stream)},
          engine_{std::move(engine)},
          prompt_{settings_->prompts} {}

    /// Waits for text. @returns silence where there was none by then; closed where the session has ended
    /// @throws Error TELNET-TIMEOUT where `limit` passes (of silence: none), CANCELLED
    Task<More> more(Call& call, Phase phase, std::string_view awaited, Deadline limit, Deadline silence = {});
    /// Until all output has been sent; what comes meanwhile is taken in.
    Task<bool> flush(Call& call);
    /// Reads what is there. @returns whether any came
    bool take_in(Call& call, bool& would_block);
    void push();
    void end(std::string why, Reason reason);
    void note_negotiation();
    void require_open(const Call& call) const;
    Deadline silence_limit() const;
    void say(Call& call, std::string_view text, bool is_secret);
    void limit_text(std::size_t most);
    /// What is left of a command that was given up is no output of the next.
    Task<bool> skip_to_prompt(Call& call);
    bool answer_pager(Call& call, std::size_t& pages);
    Error closed(const Call& call, Phase phase = Phase::protocol) const;
    Error late(const Call& call, Phase phase, std::string_view awaited) const;
    std::string last() const;

    const std::shared_ptr<const Settings> settings_;
    const std::shared_ptr<Transcript> transcript_;
    const net::SessionLog log_;
    std::unique_ptr<net::Stream> stream_;
    Engine engine_;
    std::string text_;          // received, and not asked for so far
    std::uint64_t dropped_{0};  // bytes before it, that there was no room for
    ShellPrompt prompt_;
    std::string ended_;
    Reason ended_reason_{Reason::closed};
    bool logged_in_{false};
    bool owes_prompt_{false};  // a command was left before its prompt came
    std::uint64_t bytes_in_{0};
    std::uint64_t bytes_out_{0};
    std::string write_error_;
    int reads_{0};  // since others of the thread had their turn
};

}  // namespace qconn::telnet
