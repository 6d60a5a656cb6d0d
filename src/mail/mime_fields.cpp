// SPDX-License-Identifier: Apache-2.0
#include "mail/mime_fields.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>

#include "base/text.hpp"
#include "mail/charset.hpp"
#include "mail/mime_decoding.hpp"

namespace qconn::mail {
namespace {

bool is_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// Behind the comment that begins there; comments nest (RFC 5322 section 3.2.2). The end of the text where it does not end.
std::size_t behind_comment(std::string_view text, std::size_t at) noexcept {
    std::size_t depth = 0;
    for (; at < text.size(); ++at) {
        if (text[at] == '\\')
            ++at;
        else if (text[at] == '(')
            ++depth;
        else if (text[at] == ')' && --depth == 0)
            return at + 1;
    }
    return text.size();
}

/// The quoted string that begins there. Of backslashes only those before `"` and `\` are quotes: others are those of Windows.
std::string quoted_string(std::string_view text, std::size_t& at) {
    std::string out;
    for (++at; at < text.size() && text[at] != '"'; ++at) {
        if (text[at] == '\\' && at + 1 < text.size() && (text[at + 1] == '"' || text[at + 1] == '\\')) ++at;
        out += text[at];
    }
    at = std::min(at + 1, text.size());
    return out;
}

/// A parameter as it is written.
struct WrittenParameter {
    std::string name;
    std::string value;
};

/// `; name=value` …, behind the head.
std::vector<WrittenParameter> written_parameters(std::string_view raw) {
    const std::string text = unfolded(raw);
    std::vector<WrittenParameter> all;
    std::size_t at = 0;
    const auto skip = [&] {
        while (at < text.size()) {
            if (is_blank(text[at]))
                ++at;
            else if (text[at] == '(')
                at = behind_comment(text, at);
            else
                break;
        }
    };
    // The head.
    while (at < text.size() && text[at] != ';') at = text[at] == '(' ? behind_comment(text, at) : at + 1;
    while (at < text.size()) {
        while (at < text.size() && (text[at] == ';' || is_blank(text[at]))) ++at;
        skip();
        const std::size_t name_at = at;
        while (at < text.size() && text[at] != '=' && text[at] != ';') ++at;
        if (at >= text.size() || text[at] == ';') continue;
        WrittenParameter one;
        one.name = text::to_lower(text::trim(std::string_view{text}.substr(name_at, at - name_at)));
        ++at;
        skip();
        if (at < text.size() && text[at] == '"') {
            one.value = quoted_string(text, at);
            while (at < text.size() && text[at] != ';') at = text[at] == '(' ? behind_comment(text, at) : at + 1;
        } else {
            const std::size_t value_at = at;
            while (at < text.size() && text[at] != ';') ++at;
            std::string_view value = std::string_view{text}.substr(value_at, at - value_at);
            // A comment may stand behind it; a name of a file that nobody quoted may have brackets of its own.
            if (const std::size_t comment = value.find(" ("); comment != npos && value.ends_with(')') && one.name != "name" && one.name != "filename")
                value = value.substr(0, comment);
            one.value = text::trim(value);
        }
        if (!one.name.empty()) all.push_back(std::move(one));
    }
    return all;
}

/// One piece of a value that is parted (RFC 2231 section 3), or the whole.
struct Piece {
    std::size_t number{0};
    bool extended{false};
    std::string_view value;
};

constexpr std::size_t k_most_pieces = 1000;

/// `filename*1*`: the name, and which piece. False: it is no such thing.
bool part_name(std::string_view written, std::string_view& name, Piece& piece, bool& parted) {
    parted = false;
    if (written.ends_with('*')) {
        piece.extended = true;
        written.remove_suffix(1);
    }
    const std::size_t star = written.find('*');
    name = written.substr(0, star);
    if (star == npos) return true;
    const std::string_view digits = written.substr(star + 1);
    if (digits.empty() || digits.size() > 4 || !std::all_of(digits.begin(), digits.end(), text::is_digit)) return false;
    for (const char c : digits) piece.number = piece.number * 10 + static_cast<std::size_t>(c - '0');
    parted = true;
    return piece.number < k_most_pieces;
}

std::string joined(std::vector<Piece>& pieces) {
    std::stable_sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) { return a.number < b.number; });
    std::string bytes;
    std::string charset;
    bool extended = false;
    std::size_t expected = 0;
    for (const Piece& one : pieces) {
        if (one.number != expected) {
            if (one.number < expected) continue;          // twice
            if (expected != 0 || one.number != 1) break;  // one is missing: what follows would be in the wrong place
            expected = 1;                                 // some count from one
        }
        ++expected;
        std::string_view value = one.value;
        if (one.extended && &one == &pieces.front()) {
            // charset'language'
            const std::size_t first = value.find('\'');
            const std::size_t second = first == npos ? npos : value.find('\'', first + 1);
            if (second != npos) {
                charset = value.substr(0, first);
                value.remove_prefix(second + 1);
            }
            extended = true;
        }
        bytes += one.extended ? decode_percent(value) : std::string{value};
    }
    if (!extended) return decode_words(bytes);
    CharsetOutcome ignored;
    return charset.empty() ? guessed_utf8(bytes) : to_utf8(bytes, charset, ignored);
}

}  // namespace

std::string unfolded(std::string_view raw) {
    std::string out;
    out.reserve(raw.size());
    for (const char c : raw)
        if (c != '\r' && c != '\n') out += c;
    return out;
}

std::string head_of(std::string_view raw) {
    const std::string text = unfolded(raw);
    std::string out;
    for (std::size_t at = 0; at < text.size() && text[at] != ';';) {
        if (text[at] == '(') {
            at = behind_comment(text, at);
            continue;
        }
        out += text::lower(text[at]);
        ++at;
    }
    std::string_view head = text::trim(out);
    // "text/plain charset=utf-8": the semicolon is missing.
    head = head.substr(0, head.find_first_of(" \t,"));
    while (head.starts_with('"')) head.remove_prefix(1);
    while (head.ends_with('"')) head.remove_suffix(1);
    return std::string{head};
}

Parameters parameters_of(std::string_view raw) {
    const std::vector<WrittenParameter> written = written_parameters(raw);
    struct Gathered {
        std::optional<std::string_view> plain;
        std::vector<Piece> pieces;  // of the parted and extended form
        bool is_whole{false};       // `name*=`: nothing is added to it
    };
    std::map<std::string_view, Gathered> all;
    std::vector<std::string_view> order;
    for (const WrittenParameter& one : written) {
        std::string_view name;
        Piece piece;
        bool parted = false;
        if (!part_name(one.name, name, piece, parted) || name.empty()) continue;
        piece.value = one.value;
        const auto [found, is_new] = all.try_emplace(name);
        if (is_new) order.push_back(name);
        Gathered& gathered = found->second;
        if (!parted && !piece.extended) {
            if (!gathered.plain) gathered.plain = one.value;
        } else if (!parted) {
            if (!gathered.is_whole) gathered.pieces = {piece};
            gathered.is_whole = true;
        } else if (!gathered.is_whole && gathered.pieces.size() < k_most_pieces) {
            gathered.pieces.push_back(piece);
        }
    }
    Parameters out;
    out.reserve(order.size());
    for (const std::string_view name : order) {
        Gathered& gathered = all[name];
        out.emplace_back(std::string{name}, gathered.pieces.empty() ? decode_words(*gathered.plain) : joined(gathered.pieces));
    }
    return out;
}

std::optional<std::string> boundary_of(std::string_view raw) {
    for (const WrittenParameter& one : written_parameters(raw)) {
        if (one.name != "boundary") continue;
        std::string value = one.value;
        while (!value.empty() && is_blank(value.back())) value.pop_back();
        return value;
    }
    for (auto& [name, value] : parameters_of(raw))
        if (name == "boundary") return std::move(value);
    return std::nullopt;
}

// ---- addresses ----

namespace {

/// What one address is gathered from.
struct RawMailbox {
    std::string phrase;   // with quotes and comments taken away
    std::string bare;     // as it is written, without white space and comments
    std::string comment;  // the last one
    std::optional<std::string> angle;
};

std::string tidy_phrase(const std::string& phrase) {
    const std::string decoded = decode_words(phrase);
    std::string out;
    for (const char c : decoded) {
        if (is_blank(c)) {
            if (!out.empty() && out.back() != ' ') out += ' ';
        } else {
            out += c;
        }
    }
    while (out.ends_with(' ')) out.pop_back();
    return out;
}

std::string tidy_address(std::string_view written) {
    std::string out;
    bool quoted = false;
    for (const char c : written) {
        if (c == '"') quoted = !quoted;
        if (quoted || !is_blank(c)) out += c;
    }
    // A route (RFC 5322 section 4.4) says how to get there.
    if (out.starts_with('@')) {
        if (const std::size_t colon = out.find(':'); colon != npos) out.erase(0, colon + 1);
    }
    return guessed_utf8(out);
}

/// Outside of quotes.
bool has_at(const std::string& bare) noexcept {
    const std::size_t at = bare.rfind('@');
    const std::size_t quote = bare.rfind('"');
    return at != npos && (quote == npos || quote < at);
}

void add_mailbox(std::vector<MailAddress>& all, RawMailbox& mailbox) {
    MailAddress address;
    if (mailbox.angle) {
        address.address = tidy_address(*mailbox.angle);
        address.name = tidy_phrase(mailbox.phrase);
        if (address.name.empty()) address.name = tidy_phrase(mailbox.comment);
    } else if (has_at(mailbox.bare)) {
        address.address = tidy_address(mailbox.bare);
        address.name = tidy_phrase(mailbox.comment);
    }
    if (!address.address.empty()) all.push_back(std::move(address));
    mailbox = {};
}

}  // namespace

std::vector<MailAddress> addresses_of(std::string_view raw) {
    const std::string text = unfolded(raw);
    std::vector<MailAddress> all;
    RawMailbox mailbox;
    std::size_t at = 0;
    while (at < text.size()) {
        const char c = text[at];
        if (c == '"') {
            const std::size_t from = at;
            const std::string inside = quoted_string(text, at);
            mailbox.phrase += inside;
            mailbox.bare.append(text, from, at - from);
            if (at - from < 2 || text[at - 1] != '"') mailbox.bare += '"';  // it does not end
        } else if (c == '(') {
            const std::size_t end = behind_comment(text, at);
            std::size_t last = end;
            if (last > at + 1 && text[last - 1] == ')') --last;
            mailbox.comment.assign(text, at + 1, last - at - 1);
            at = end;
            mailbox.phrase += ' ';
        } else if (c == '<') {
            std::size_t end = at + 1;
            while (end < text.size() && text[end] != '>' && text[end] != '<') {
                if (text[end] == '"')
                    quoted_string(text, end);
                else
                    ++end;
            }
            mailbox.angle = text.substr(at + 1, end - at - 1);
            at = end < text.size() && text[end] == '>' ? end + 1 : end;
        } else if (c == ',' || c == ';') {
            add_mailbox(all, mailbox);
            ++at;
        } else if (c == ':' && !mailbox.angle && mailbox.bare.find('@') == npos) {
            mailbox = {};  // the name of a group
            ++at;
        } else {
            mailbox.phrase += c;
            if (!is_blank(c)) mailbox.bare += c;
            ++at;
        }
    }
    add_mailbox(all, mailbox);
    return all;
}

std::vector<std::string> message_ids_of(std::string_view raw) {
    const std::string text = unfolded(raw);
    std::vector<std::string> all;
    for (std::size_t at = text.find('<'); at != npos; at = text.find('<', at + 1)) {
        const std::size_t end = text.find_first_of("<>", at + 1);
        if (end == npos) break;
        if (text[end] == '>' && end > at + 1) all.emplace_back(text::trim(std::string_view{text}.substr(at + 1, end - at - 1)));
        at = text[end] == '>' ? end : end - 1;
    }
    if (!all.empty() || text.find('<') != npos) return all;
    for (const std::string_view word : text::split(text, ' '))
        if (word.find('@') != npos) all.emplace_back(text::trim(word));
    return all;
}

// ---- dates ----

namespace {

constexpr std::array<std::string_view, 12> k_months{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};

struct ZoneName {
    std::string_view name;
    int hours;
};
/// RFC 5322 section 4.3; the letters of the military count as nothing known.
constexpr std::array<ZoneName, 14> k_zones{{{"ut", 0},
                                            {"gmt", 0},
                                            {"utc", 0},
                                            {"z", 0},
                                            {"est", -5},
                                            {"edt", -4},
                                            {"cst", -6},
                                            {"cdt", -5},
                                            {"mst", -7},
                                            {"mdt", -6},
                                            {"pst", -8},
                                            {"pdt", -7},
                                            {"cet", 1},
                                            {"cest", 2}}};

/// A number of a few digits that is the whole text.
std::optional<int> number_of(std::string_view text) noexcept {
    if (text.empty() || text.size() > 4) return std::nullopt;
    int value = 0;
    for (const char c : text) {
        if (!text::is_digit(c)) return std::nullopt;
        value = value * 10 + (c - '0');
    }
    return value;
}

struct DateParts {
    std::optional<int> day;
    std::optional<unsigned> month;
    std::optional<int> year;
    std::optional<int> second;  // of the day
    std::optional<int> offset;  // minutes
};

std::optional<int> clock_of(std::string_view word) {
    const auto parts = text::split(word, ':');
    if (parts.size() < 2 || parts.size() > 3) return std::nullopt;
    const auto hour = number_of(parts[0]);
    const auto minute = number_of(parts[1]);
    std::optional<int> second = 0;
    if (parts.size() == 3) second = number_of(parts[2].substr(0, parts[2].find('.')));
    if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
    return *hour * 3600 + *minute * 60 + *second;
}

std::optional<int> offset_of(std::string_view word) {
    const bool minus = word.front() == '-';
    std::string digits;
    for (const char c : word.substr(1))
        if (c != ':') digits += c;
    const auto value = number_of(digits);
    if (!value || digits.size() != 4 || *value / 100 > 23 || *value % 100 > 59) return std::nullopt;
    const int minutes = *value / 100 * 60 + *value % 100;
    return minus ? -minutes : minutes;
}

void take_date_word(std::string_view word, DateParts& parts) {
    const std::string lower = text::to_lower(word);
    if (const auto number = number_of(word)) {
        if (!parts.day && word.size() <= 2) {
            parts.day = *number;
        } else if (!parts.year) {
            // RFC 5322 section 4.3: years of two and three digits.
            parts.year = word.size() == 2 ? *number + (*number < 50 ? 2000 : 1900) : word.size() == 3 ? *number + 1900 : *number;
        }
        return;
    }
    if (word.find(':') != npos && text::is_digit(word.front())) {
        if (!parts.second) parts.second = clock_of(word);
        return;
    }
    if ((word.front() == '+' || word.front() == '-') && word.size() > 1 && parts.second) {
        if (const auto offset = offset_of(word); offset && (!parts.offset || *parts.offset == 0)) parts.offset = offset;
        return;
    }
    if (!parts.month && lower.size() >= 3) {
        for (std::size_t i = 0; i < k_months.size(); ++i)
            if (lower.starts_with(k_months[i])) parts.month = static_cast<unsigned>(i) + 1;
        if (parts.month) return;
    }
    if (parts.second && !parts.offset) {
        for (const ZoneName& zone : k_zones)
            if (zone.name == lower) parts.offset = zone.hours * 60;
    }
}

}  // namespace

std::optional<MailDate> date_of(std::string_view raw) {
    const std::string text = unfolded(raw);
    DateParts parts;
    std::string word;
    const auto take = [&] {
        if (!word.empty()) {
            // 1-Jan-2024
            const bool dashed = text::is_digit(word.front()) && word.find('-') != npos && word.find(':') == npos;
            if (dashed) {
                for (const std::string_view part : text::split(word, '-'))
                    if (!part.empty()) take_date_word(part, parts);
            } else {
                take_date_word(word, parts);
            }
        }
        word.clear();
    };
    for (std::size_t at = 0; at < text.size();) {
        const char c = text[at];
        if (c == '(') {
            take();
            at = behind_comment(text, at);
            continue;
        }
        // "GMT+0100"
        const bool sign = (c == '+' || c == '-') && !word.empty() && text::is_alpha(word.back()) && text::is_alpha(word.front());
        if (is_blank(c) || c == ',' || sign) take();
        if (!is_blank(c) && c != ',') word += c;
        ++at;
    }
    take();
    if (!parts.day || !parts.month || !parts.year || !parts.second) return std::nullopt;
    const std::chrono::year_month_day day{std::chrono::year{*parts.year}, std::chrono::month{*parts.month},
                                          std::chrono::day{static_cast<unsigned>(*parts.day)}};
    if (!day.ok()) return std::nullopt;
    MailDate date;
    date.offset = std::chrono::minutes{parts.offset.value_or(0)};
    date.time = std::chrono::sys_days{day} + std::chrono::seconds{*parts.second} - date.offset;
    return date;
}

std::string base_name_of(std::string name) {
    name.erase(0, name.find_last_of("/\\") + 1);
    std::erase_if(name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
    const std::string_view tidy = text::trim(name);
    if (tidy.find_first_not_of('.') == npos) return {};
    return std::string{tidy};
}

}  // namespace qconn::mail
