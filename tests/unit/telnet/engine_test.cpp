// SPDX-License-Identifier: Apache-2.0
#include "telnet/engine.hpp"

#include <string>
#include <string_view>

#include "support/catch.hpp"

using namespace qconn;
using qconn::telnet::Engine;
using qconn::telnet::EngineSettings;
using namespace std::string_view_literals;
using namespace std::string_literals;

namespace {

constexpr char k_iac = '\xff';
constexpr char k_will = '\xfb';
constexpr char k_wont = '\xfc';
constexpr char k_do = '\xfd';
constexpr char k_dont = '\xfe';
constexpr char k_sb = '\xfa';
constexpr char k_se = '\xf0';

std::string says(char verb, char option) { return {k_iac, verb, option}; }
std::string sub(char option, std::string_view data) { return std::string{k_iac, k_sb, option} + std::string{data} + std::string{k_iac, k_se}; }

EngineSettings engine_settings() {
    EngineSettings settings;
    settings.terminal_type = "xterm";
    settings.terminal_speed = 38'400;
    settings.columns = 255;
    settings.rows = 24;
    return settings;
}

/// What it answers.
std::string answer(Engine& engine, std::string_view bytes, std::string* text = nullptr) {
    std::string ignored;
    engine.feed(bytes, text != nullptr ? *text : ignored);
    return std::exchange(engine.output(), {});
}

}  // namespace

TEST_CASE("an engine says nothing by itself, unless binary transmission is wanted", "[telnet]") {
    Engine engine{engine_settings()};
    engine.start();
    CHECK(engine.output().empty());
    EngineSettings binary = engine_settings();
    binary.binary = true;
    Engine asks{binary};
    asks.start();
    CHECK(asks.output() == says(k_will, 0) + says(k_do, 0));
    answer(asks, says(k_do, 0) + says(k_will, 0));
    CHECK(asks.binary_in());
    CHECK(asks.binary_out());
}

TEST_CASE("what is known is agreed to once, what is not is refused", "[telnet]") {
    Engine engine{engine_settings()};
    CHECK(answer(engine, says(k_will, 1)) == says(k_do, 1));
    CHECK(engine.echo());
    CHECK(answer(engine, says(k_will, 1)).empty());
    CHECK(answer(engine, says(k_wont, 1)) == says(k_dont, 1));
    CHECK_FALSE(engine.echo());
    CHECK(engine.refuses_echo());
    CHECK(answer(engine, says(k_will, 3)) == says(k_do, 3));
    CHECK(answer(engine, says(k_do, 1)) == says(k_wont, 1));      // we do not echo
    CHECK(answer(engine, says(k_will, 37)) == says(k_dont, 37));  // authentication
    CHECK(answer(engine, says(k_do, 36)) == says(k_wont, 36));    // the old environment
    CHECK(answer(engine, says(k_do, 34)) == says(k_wont, 34));    // line mode
    CHECK(answer(engine, says(k_do, 39)) == says(k_wont, 39));    // there is no environment
}

TEST_CASE("terminal, speed and window are told where they were agreed on", "[telnet]") {
    Engine engine{engine_settings()};
    CHECK(answer(engine, sub(24, "\x01")).empty());  // before that
    CHECK(answer(engine, says(k_do, 24)) == says(k_will, 24));
    CHECK(answer(engine, sub(24, "\x01")) == sub(24, "\0xterm"sv));
    CHECK(answer(engine, says(k_do, 32)) == says(k_will, 32));
    CHECK(answer(engine, sub(32, "\x01")) == sub(32,
                                                 "\0"
                                                 "38400,38400"sv));
    // 255 columns: a byte of IAC is doubled.
    CHECK(answer(engine, says(k_do, 31)) == says(k_will, 31) + sub(31, "\0\xff\xff\0\x18"sv));
    engine.resize(80, 25);
    CHECK(std::exchange(engine.output(), {}) == sub(31, "\0\x50\0\x19"sv));
    CHECK(answer(engine, says(k_dont, 31)) == says(k_wont, 31));
    engine.resize(90, 26);
    CHECK(engine.output().empty());
    CHECK(engine.told() == std::vector<std::string>{"TERMINAL-TYPE", "TERMINAL-SPEED", "NAWS"});
}

TEST_CASE("of the environment only what the caller gives is told, and of that what is asked for", "[telnet]") {
    EngineSettings settings = engine_settings();
    settings.environment = {{"LANG", "C"},
                            {"ODD",
                             "a\x01\x02"
                             "b"}};
    Engine engine{settings};
    CHECK(answer(engine, says(k_do, 39)) == says(k_will, 39));
    CHECK(answer(engine, sub(39, "\x01")) == sub(39,
                                                 "\0\x03LANG\x01"
                                                 "C\x03ODD\x01"
                                                 "a\x02\x01\x02\x02"
                                                 "b"sv));
    CHECK(answer(engine, sub(39, "\x01\0LANG\x03HOME"sv)) == sub(39,
                                                                 "\0\0LANG\x01"
                                                                 "C"sv));
    CHECK(answer(engine, sub(39, "\x01\0HOME"sv)) == sub(39, "\0"sv));
    CHECK(answer(engine, sub(39, "\x01\0\x03"sv)) == sub(39,
                                                         "\0\x03LANG\x01"
                                                         "C\x03ODD\x01"
                                                         "a\x02\x01\x02\x02"
                                                         "b"sv));
}

TEST_CASE("text is sent with line ends of the session, and IAC doubled", "[telnet]") {
    const auto sent = [](TelnetLineEnd end, std::string_view text, bool binary = false) {
        EngineSettings settings = engine_settings();
        settings.line_end = end;
        Engine engine{settings};
        if (binary) answer(engine, says(k_do, 0));
        CHECK(engine.send(text));
        return std::exchange(engine.output(), {});
    };
    CHECK(sent(TelnetLineEnd::automatic, "a\nb\r\nc\rd\xff") == "a\r\nb\r\nc\r\0d\xff\xff"sv);
    CHECK(sent(TelnetLineEnd::cr_nul, "a\n") == "a\r\0"sv);
    CHECK(sent(TelnetLineEnd::cr, "a\n") == "a\r");
    CHECK(sent(TelnetLineEnd::lf, "a\n") == "a\n");
    CHECK(sent(TelnetLineEnd::automatic, "a\nb\rc", true) == "a\rb\rc");
    CHECK(sent(TelnetLineEnd::crlf, "a\n", true) == "a\r\n");
}

TEST_CASE("text and negotiation are told apart, in pieces of any size", "[telnet]") {
    EngineSettings settings = engine_settings();
    settings.environment = {{"LANG", "C"}};
    const std::string bytes = "login"s + says(k_will, 1) + ": \xff\xff\xff\xf1" + says(k_do, 24) + sub(24, "\x01") + "\r\nPass" + says(k_do, 39) +
                              sub(39, "\x01\0LANG"sv) + "\xff\xf9word" + says(k_will, 0) + "\r\n" + sub(99, "\xff\xff unknown") + "end";
    std::string whole;
    Engine engine{settings};
    const std::string answers = answer(engine, bytes, &whole);
    CHECK(whole == "login: \xff\nPassword\r\nend");
    for (std::size_t piece = 1; piece < bytes.size(); ++piece) {
        Engine other{settings};
        std::string text;
        std::string out;
        for (std::size_t i = 0; i < bytes.size(); i += piece) out += answer(other, std::string_view{bytes}.substr(i, piece), &text);
        CHECK(text == whole);
        CHECK(out == answers);
    }
}

TEST_CASE("a peer that breaks the rules is given up, and nothing of it is taken after that", "[telnet]") {
    const auto problem = [](const std::string& bytes, int times = 1) {
        Engine engine{engine_settings()};
        std::string text;
        for (int i = 0; i < times && engine.problem().empty(); ++i) {
            engine.feed(bytes, text);
            engine.output().clear();
        }
        const std::size_t size = text.size();
        engine.feed("more", text);
        CHECK((engine.problem().empty() || text.size() == size));
        return engine.problem();
    };
    CHECK(problem("fine").empty());
    CHECK(problem(says(k_do, 99), 1'001) == "it negotiates without an end");
    CHECK(problem(says(k_do, 99) + "x", 5'000).empty());
    CHECK(problem("\xff\xf1", 200'000) == "it negotiates without an end");
    CHECK(problem(std::string{k_iac, k_sb, 24} + std::string(20'000, 'x')) == "it sends a subnegotiation of more than 16,384 bytes");
    std::string nested;
    for (int i = 0; i < 60'000; ++i) nested += sub(39, "\0"sv);  // libtelnet goes a step deeper for each that it is given at once
    CHECK(problem(nested) == "it negotiates without an end");
    CHECK(problem(sub(86, "")).find("COMPRESS2") != std::string::npos);
    // Answers that it does not take:
    EngineSettings large = engine_settings();
    large.environment = {{"V", std::string(4'000, 'v')}};
    Engine engine{large};
    std::string text;
    answer(engine, says(k_do, 39));
    for (int i = 0; i < 900; ++i) engine.feed(sub(39, "\x01"), text);
    CHECK(engine.problem() == "it negotiates without an end");
    CHECK(engine.output().size() < 2 * Engine::k_max_untaken);
}

TEST_CASE("what was negotiated is noted for a log", "[telnet]") {
    Engine engine{engine_settings()};
    answer(engine, says(k_will, 1) + says(k_do, 24) + sub(24, "\x01"));
    CHECK(engine.take_notes() == std::vector<std::string>{"< WILL ECHO", "< DO TERMINAL-TYPE", "> TERMINAL-TYPE xterm"});
    CHECK(engine.take_notes().empty());
}
