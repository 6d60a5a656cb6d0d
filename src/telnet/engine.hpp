// SPDX-License-Identifier: Apache-2.0
/// TELNET without I/O: bytes of the peer in, text and bytes for the peer out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qconn/telnet/telnet_options.hpp>

#include "telnet/decoder.hpp"

struct telnet_t;
union telnet_event_t;

namespace qconn::telnet {

/// What is said of this end. A value type.
struct EngineSettings {
    std::string terminal_type;
    std::uint32_t terminal_speed{0};  ///< 0: not told
    std::uint16_t columns{0};         ///< 0: no size is told
    std::uint16_t rows{0};
    bool binary{false};
    std::vector<std::pair<std::string, std::string>> environment;
    TelnetEncoding encoding{TelnetEncoding::utf8};
    bool replace_invalid{false};
    TelnetLineEnd line_end{TelnetLineEnd::automatic};
    bool strip_escapes{true};
};

/// Options are negotiated by libtelnet (RFC 1143: no loops), which answers and is answered through here. What it accepts: of the peer ECHO,
/// SUPPRESS-GO-AHEAD, BINARY; of us SUPPRESS-GO-AHEAD, BINARY, TERMINAL-TYPE, TERMINAL-SPEED, NAWS, NEW-ENVIRON. @note One thread at a time.
class Engine {
public:
    /// Answers of ours in a row, and bytes in a row, without any text between them: then the peer negotiates for ever.
    static constexpr std::size_t k_max_answers = 1'000;
    static constexpr std::size_t k_max_wordless = std::size_t{256} << 10;
    /// Answers that the peer has not taken.
    static constexpr std::size_t k_max_untaken = std::size_t{1} << 20;

    explicit Engine(EngineSettings settings);
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;
    ~Engine();

    /// What we ask for by ourselves.
    void start();
    /// Appends to `text`. @returns false: problem(); nothing more is taken then
    bool feed(std::string_view bytes, std::string& text);
    const std::string& problem() const noexcept { return problem_; }

    /// UTF-8, each "\n" (or "\r\n") as the line end of the session. @returns false: a character that the encoding does not have; nothing is sent
    bool send(std::string_view text);
    /// As they are, but for IAC.
    void send_bytes(std::string_view bytes);
    /// IAC and this (RFC 854).
    void command(unsigned char code);
    void resize(std::uint16_t columns, std::uint16_t rows);

    /// Bytes for the peer; whoever sends them takes them out.
    std::string& output() noexcept { return output_; }

    bool echo() const noexcept;
    /// The peer has said that it does not echo.
    bool refuses_echo() const noexcept { return refuses_echo_; }
    bool suppress_go_ahead() const noexcept;
    bool binary_in() const noexcept;
    bool binary_out() const noexcept;
    const std::vector<std::string>& told() const noexcept { return told_; }
    /// What was negotiated since the last call, for a log.
    std::vector<std::string> take_notes() { return std::exchange(notes_, {}); }

private:
    struct Free {
        void operator()(telnet_t* telnet) const noexcept;
    };
    static void on_event(telnet_t* telnet, telnet_event_t* event, void* self);
    void handle(telnet_event_t& event);
    void negotiated(bool ours, bool on, unsigned char option);
    void subnegotiation(unsigned char option, std::string_view data);
    void send_size();
    void send_environment(std::string_view asked);
    void tell(const char* what);
    void note(std::string text);
    void fail(std::string_view what);

    EngineSettings settings_;
    Decoder decoder_;
    std::string output_;
    std::string problem_;
    std::string* text_{nullptr};  // while something is fed
    std::array<bool, 256> us_{};
    std::array<bool, 256> him_{};
    bool refuses_echo_{false};
    std::size_t answers_{0};
    std::size_t wordless_{0};
    std::vector<std::string> told_;
    std::vector<std::string> notes_;
    struct Table;
    std::unique_ptr<Table> table_;  // libtelnet keeps a pointer to it
    std::unique_ptr<telnet_t, Free> telnet_;
};

}  // namespace qconn::telnet
