// SPDX-License-Identifier: Apache-2.0
#include "telnet/engine.hpp"

#include <libtelnet.h>

#include <algorithm>
#include <new>
#include <utility>

#include "base/text.hpp"

namespace qconn::telnet {
namespace {

struct OptionName {
    unsigned char code;
    const char* name;
};
constexpr std::array<OptionName, 14> k_option_names{{{TELNET_TELOPT_BINARY, "BINARY"},
                                                     {TELNET_TELOPT_ECHO, "ECHO"},
                                                     {TELNET_TELOPT_SGA, "SUPPRESS-GO-AHEAD"},
                                                     {TELNET_TELOPT_STATUS, "STATUS"},
                                                     {TELNET_TELOPT_TM, "TIMING-MARK"},
                                                     {TELNET_TELOPT_TTYPE, "TERMINAL-TYPE"},
                                                     {TELNET_TELOPT_EOR, "END-OF-RECORD"},
                                                     {TELNET_TELOPT_NAWS, "NAWS"},
                                                     {TELNET_TELOPT_TSPEED, "TERMINAL-SPEED"},
                                                     {TELNET_TELOPT_LINEMODE, "LINEMODE"},
                                                     {TELNET_TELOPT_AUTHENTICATION, "AUTHENTICATION"},
                                                     {TELNET_TELOPT_ENCRYPT, "ENCRYPT"},
                                                     {TELNET_TELOPT_NEW_ENVIRON, "NEW-ENVIRON"},
                                                     {TELNET_TELOPT_COMPRESS2, "COMPRESS2"}}};

std::string name_of_option(unsigned char code) {
    for (const OptionName& one : k_option_names) {
        if (one.code == code) return one.name;
    }
    return "option " + std::to_string(code);
}

constexpr char k_is = 0;
constexpr char k_send = 1;

}  // namespace

struct Engine::Table {
    std::vector<telnet_telopt_t> rows;
};

void Engine::Free::operator()(telnet_t* telnet) const noexcept { telnet_free(telnet); }

Engine::Engine(EngineSettings settings)
    : settings_{std::move(settings)},
      decoder_{settings_.encoding, settings_.replace_invalid, settings_.strip_escapes},
      table_{std::make_unique<Table>()} {
    const auto row = [this](int option, bool ours, bool his) {
        table_->rows.push_back({static_cast<short>(option), static_cast<unsigned char>(ours ? TELNET_WILL : TELNET_WONT),
                                static_cast<unsigned char>(his ? TELNET_DO : TELNET_DONT)});
    };
    row(TELNET_TELOPT_BINARY, true, true);
    row(TELNET_TELOPT_ECHO, false, true);
    row(TELNET_TELOPT_SGA, true, true);
    row(TELNET_TELOPT_TTYPE, !settings_.terminal_type.empty(), false);
    row(TELNET_TELOPT_TSPEED, settings_.terminal_speed != 0, false);
    row(TELNET_TELOPT_NAWS, settings_.columns != 0 && settings_.rows != 0, false);
    row(TELNET_TELOPT_NEW_ENVIRON, !settings_.environment.empty(), false);
    table_->rows.push_back({-1, 0, 0});
    telnet_.reset(telnet_init(table_->rows.data(), &Engine::on_event, 0, this));
    if (!telnet_) throw std::bad_alloc{};
}

Engine::~Engine() = default;

bool Engine::echo() const noexcept { return him_[TELNET_TELOPT_ECHO]; }
bool Engine::suppress_go_ahead() const noexcept { return him_[TELNET_TELOPT_SGA]; }
bool Engine::binary_in() const noexcept { return him_[TELNET_TELOPT_BINARY]; }
bool Engine::binary_out() const noexcept { return us_[TELNET_TELOPT_BINARY]; }

void Engine::start() {
    if (!settings_.binary) return;
    telnet_negotiate(telnet_.get(), TELNET_WILL, TELNET_TELOPT_BINARY);
    telnet_negotiate(telnet_.get(), TELNET_DO, TELNET_TELOPT_BINARY);
    note("> WILL BINARY, DO BINARY");
}

void Engine::fail(std::string_view what) {
    if (problem_.empty()) problem_ = what;
}

void Engine::note(std::string text) {
    constexpr std::size_t k_most = 200;
    if (notes_.size() < k_most) notes_.push_back(std::move(text));
}

void Engine::tell(const char* what) {
    if (std::find(told_.begin(), told_.end(), what) == told_.end()) told_.emplace_back(what);
}

bool Engine::feed(std::string_view bytes, std::string& text) {
    // libtelnet handles what it is given to the end, whatever we find wrong with it on the way, and calls itself for what follows each subnegotiation
    // of NEW-ENVIRON and COMPRESS2: small pieces keep both short.
    constexpr std::size_t k_piece = 512;
    text_ = &text;
    while (!bytes.empty() && problem_.empty()) {
        const std::string_view piece = bytes.substr(0, k_piece);
        bytes.remove_prefix(piece.size());
        wordless_ += piece.size();
        telnet_recv(telnet_.get(), piece.data(), piece.size());
        if (wordless_ > k_max_wordless) fail("it negotiates without an end");
    }
    text_ = nullptr;
    return problem_.empty();
}

/// Is called by C code, which no exception may pass.
void Engine::on_event(telnet_t*, telnet_event_t* event, void* self) {
    auto& engine = *static_cast<Engine*>(self);
    try {
        engine.handle(*event);
    } catch (const std::exception& error) { engine.problem_ = error.what(); }
}

void Engine::handle(telnet_event_t& event) {
    if (!problem_.empty()) return;
    switch (event.type) {
        case TELNET_EV_DATA:
            answers_ = 0;
            wordless_ = 0;
            if (text_ != nullptr) decoder_.feed({event.data.buffer, event.data.size}, *text_);
            return;
        case TELNET_EV_SEND:
            output_.append(event.data.buffer, event.data.size);
            if (text_ == nullptr) return;  // it is no answer
            if (++answers_ > k_max_answers || output_.size() > k_max_untaken) fail("it negotiates without an end");
            return;
        case TELNET_EV_WILL:
        case TELNET_EV_WONT: negotiated(false, event.type == TELNET_EV_WILL, event.neg.telopt); return;
        case TELNET_EV_DO:
        case TELNET_EV_DONT: negotiated(true, event.type == TELNET_EV_DO, event.neg.telopt); return;
        case TELNET_EV_SUBNEGOTIATION: subnegotiation(event.sub.telopt, {event.sub.buffer, event.sub.size}); return;
        case TELNET_EV_COMPRESS: fail("it compresses what it sends (COMPRESS2), which was not agreed on"); return;
        case TELNET_EV_WARNING:
            // libtelnet 0.21 does not set the code; the one warning that counts is of the limit of its buffer.
            if (event.error.msg != nullptr && std::string_view{event.error.msg}.find("size limit") != npos)
                fail("it sends a subnegotiation of more than 16,384 bytes");
            return;
        case TELNET_EV_ERROR: fail(event.error.msg != nullptr ? event.error.msg : "what it sends cannot be read"); return;
        default: return;  // commands to a terminal, and forms of subnegotiations that were handled above
    }
}

void Engine::negotiated(bool ours, bool on, unsigned char option) {
    note(std::string{"< "} + (ours ? on ? "DO " : "DONT " : on ? "WILL " : "WONT ") + name_of_option(option));
    (ours ? us_ : him_)[option] = on;
    if (option == TELNET_TELOPT_BINARY && !ours) decoder_.set_binary(on);
    if (option == TELNET_TELOPT_ECHO && !ours) refuses_echo_ = !on;
    if (option == TELNET_TELOPT_NAWS && ours && on) send_size();
}

void Engine::send_size() {
    const auto high = [](std::uint16_t n) { return static_cast<char>(n >> 8U); };
    const auto low = [](std::uint16_t n) { return static_cast<char>(n & 0xFFU); };
    const std::array<char, 4> size{high(settings_.columns), low(settings_.columns), high(settings_.rows), low(settings_.rows)};
    telnet_subnegotiation(telnet_.get(), TELNET_TELOPT_NAWS, size.data(), size.size());
    tell("NAWS");
    note("> NAWS " + std::to_string(settings_.columns) + " " + std::to_string(settings_.rows));
}

void Engine::resize(std::uint16_t columns, std::uint16_t rows) {
    settings_.columns = columns;
    settings_.rows = rows;
    if (us_[TELNET_TELOPT_NAWS]) send_size();
}

void Engine::subnegotiation(unsigned char option, std::string_view data) {
    // What was not agreed on is not answered.
    if (!us_[option] || data.empty() || data.front() != k_send) return;
    switch (option) {
        case TELNET_TELOPT_TTYPE:
            telnet_ttype_is(telnet_.get(), settings_.terminal_type.c_str());
            tell("TERMINAL-TYPE");
            note("> TERMINAL-TYPE " + settings_.terminal_type);
            return;
        case TELNET_TELOPT_TSPEED: {
            const std::string speed = std::to_string(settings_.terminal_speed);
            const std::string is = k_is + speed + ',' + speed;
            telnet_subnegotiation(telnet_.get(), option, is.data(), is.size());
            tell("TERMINAL-SPEED");
            note("> TERMINAL-SPEED " + speed);
            return;
        }
        case TELNET_TELOPT_NEW_ENVIRON: send_environment(data.substr(1)); return;
        default: return;
    }
}

/// RFC 1572. @param asked  VAR or USERVAR and a name each; nothing: all
void Engine::send_environment(std::string_view asked) {
    constexpr char k_var = TELNET_ENVIRON_VAR;
    constexpr char k_value = TELNET_ENVIRON_VALUE;
    constexpr char k_esc = TELNET_ENVIRON_ESC;
    constexpr char k_uservar = TELNET_ENVIRON_USERVAR;
    struct Wanted {
        char kind;
        std::string name;
    };
    std::vector<Wanted> wanted;
    bool all = asked.empty();
    for (std::size_t i = 0; i < asked.size(); ++i) {
        const char c = asked[i];
        if (c == k_var || c == k_uservar)
            wanted.push_back({c, {}});
        else if (c == k_esc && i + 1 < asked.size() && !wanted.empty())
            wanted.back().name += asked[++i];
        else if (!wanted.empty())
            wanted.back().name += c;
    }
    for (const Wanted& one : wanted) all = all || one.name.empty();  // all of that kind

    std::string is{k_is};
    const auto put = [&is](std::string_view text) {
        for (const char c : text) {
            if (c >= 0 && c <= k_uservar) is += k_esc;
            is += c;
        }
    };
    for (const auto& [name, value] : settings_.environment) {
        const auto found = std::find_if(wanted.begin(), wanted.end(), [&name = name](const Wanted& one) { return one.name == name; });
        if (!all && found == wanted.end()) continue;
        is += found != wanted.end() ? found->kind : k_uservar;
        put(name);
        is += k_value;
        put(value);
        note("> NEW-ENVIRON " + name);
    }
    telnet_subnegotiation(telnet_.get(), TELNET_TELOPT_NEW_ENVIRON, is.data(), is.size());
    tell("NEW-ENVIRON");
}

bool Engine::send(std::string_view text) {
    std::string bytes;
    if (!encode(text, settings_.encoding, bytes)) return false;
    const bool binary = binary_out();
    std::string_view end = "\r\n";
    switch (settings_.line_end) {
        case TelnetLineEnd::automatic: end = binary ? "\r" : "\r\n"; break;
        case TelnetLineEnd::crlf: break;
        case TelnetLineEnd::cr_nul: end = binary ? std::string_view{"\r"} : std::string_view{"\r\0", 2}; break;
        case TelnetLineEnd::cr: end = "\r"; break;
        case TelnetLineEnd::lf: end = "\n"; break;
    }
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const char c = bytes[i];
        if (c == '\n')
            out += end;
        else if (c == '\r' && i + 1 < bytes.size() && bytes[i + 1] == '\n')
            continue;
        else if (c == '\r' && !binary)
            out.append("\r\0", 2);
        else
            out += c;
    }
    send_bytes(out);
    return true;
}

void Engine::send_bytes(std::string_view bytes) { telnet_send(telnet_.get(), bytes.data(), bytes.size()); }

void Engine::command(unsigned char code) { telnet_iac(telnet_.get(), code); }

}  // namespace qconn::telnet
