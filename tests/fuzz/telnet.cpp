// SPDX-License-Identifier: Apache-2.0
// What a TELNET server sends: the same text, answers and verdict in pieces of any size; what is looked for in it, and how it is shown.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/require.hpp"
#include "telnet/engine.hpp"
#include "telnet/login.hpp"
#include "telnet/output.hpp"
#include "telnet/prompts.hpp"

namespace {

using namespace qconn;

struct Outcome {
    std::string text;
    std::string answers;
    std::string problem;
    bool echo{false};
    bool binary{false};
    friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome outcome_of(std::string_view bytes, std::size_t piece, std::uint8_t kind) {
    telnet::EngineSettings settings;
    settings.terminal_type = "xterm";
    settings.terminal_speed = 38'400;
    settings.columns = 255;
    settings.rows = 24;
    settings.binary = (kind & 1U) != 0;
    settings.replace_invalid = (kind & 2U) != 0;
    settings.strip_escapes = (kind & 4U) != 0;
    settings.encoding = (kind & 8U) != 0 ? TelnetEncoding::latin1 : TelnetEncoding::utf8;
    settings.environment = {{"LANG", "C"}, {"\x01\x02", "\xff"}};
    telnet::Engine engine{settings};
    engine.start();
    Outcome out;
    while (!bytes.empty() && engine.feed(bytes.substr(0, piece), out.text)) {
        bytes.remove_prefix(piece < bytes.size() ? piece : bytes.size());
        out.answers += engine.output();
        engine.output().clear();
    }
    out.answers += engine.output();
    out.problem = engine.problem();
    out.echo = engine.echo();
    out.binary = engine.binary_in() || engine.binary_out();
    return out;
}

std::string shown(std::string_view text, std::size_t piece) {
    std::string out;
    telnet::Output output{"show", "host> ", [&out](std::string_view one) { out += one; }};
    for (; !text.empty(); text.remove_prefix(piece < text.size() ? piece : text.size())) output.add(text.substr(0, piece));
    output.finish();
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    static const telnet::Prompts prompts{TelnetOptions{}};
    const std::uint8_t kind = data[0];
    const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
    const Outcome whole = outcome_of(bytes, bytes.size() + 1, kind);
    QCONN_REQUIRE(whole == outcome_of(bytes, 1, kind));
    QCONN_REQUIRE(whole == outcome_of(bytes, 7, kind));
    QCONN_REQUIRE(shown(whole.text, whole.text.size() + 1) == shown(whole.text, 1));

    telnet::Login login{prompts, true, true};
    for (int i = 0; i < 4 && login.look(whole.text) != telnet::Login::Want::failed; ++i) continue;
    telnet::ShellPrompt prompt{prompts};
    prompt.learn(telnet::last_line(whole.text));
    const std::size_t at = prompt.find(whole.text);
    QCONN_REQUIRE(at == std::string::npos || at < whole.text.size());
    return 0;
}
