// SPDX-License-Identifier: Apache-2.0
#include "ftp/listing.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <utility>

#include "base/text.hpp"

namespace qconn::ftp {
namespace {

using SystemTime = std::chrono::system_clock::time_point;
using std::chrono::sys_days;

constexpr std::array<std::string_view, 12> k_months{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};

/// Reads words and blanks from the front of a line.
class Cursor {
public:
    explicit Cursor(std::string_view text) noexcept : text_{text} {}

    std::string_view rest() const noexcept { return text_; }
    bool at_end() const noexcept { return text_.empty(); }
    std::size_t skip_blanks() noexcept {
        std::size_t count = 0;
        while (count < text_.size() && (text_[count] == ' ' || text_[count] == '\t')) ++count;
        text_.remove_prefix(count);
        return count;
    }
    bool skip(char c) noexcept {
        if (text_.empty() || text_.front() != c) return false;
        text_.remove_prefix(1);
        return true;
    }
    /// Up to the next blank, which stays; blanks before it are passed.
    std::string_view word() noexcept {
        skip_blanks();
        const std::string_view found = text_.substr(0, text_.find_first_of(" \t"));
        text_.remove_prefix(found.size());
        return found;
    }

private:
    std::string_view text_;
};

template <class Number>
std::optional<Number> number_of(std::string_view text, int base = 10) noexcept {
    Number number{};
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    if (failed != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
    return number;
}

std::optional<SystemTime> instant(int year, unsigned month, unsigned day, int hour, int minute, int second) {
    const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{month}, std::chrono::day{day}};
    if (!date.ok() || year < 1 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return std::nullopt;
    const auto days = sys_days{date}.time_since_epoch();
    if (days > std::chrono::days{100'000} || days < std::chrono::days{-100'000}) return std::nullopt;  // what nanoseconds can count
    return SystemTime{} + days + std::chrono::hours{hour} + std::chrono::minutes{minute} + std::chrono::seconds{second};
}

/// "123" behind the point: 123 milliseconds.
std::optional<std::chrono::nanoseconds> fraction(std::string_view digits) {
    if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
    std::int64_t value = 0;
    for (std::size_t i = 0; i < 9; ++i) value = value * 10 + (i < digits.size() ? digits[i] - '0' : 0);
    return std::chrono::nanoseconds{value};
}

SystemTime with_fraction(SystemTime time, std::chrono::nanoseconds part) { return time + std::chrono::duration_cast<SystemTime::duration>(part); }

/// "12:34", "12:34:56", "12:34:56.789": since midnight.
std::optional<std::chrono::nanoseconds> time_of_day(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || colon == 0 || colon > 2) return std::nullopt;
    const auto hour = number_of<unsigned>(text.substr(0, colon));
    std::string_view rest = text.substr(colon + 1);
    const auto minute = number_of<unsigned>(rest.substr(0, 2));
    if (!hour || !minute || rest.size() < 2 || *hour > 23 || *minute > 59) return std::nullopt;
    std::chrono::nanoseconds all = std::chrono::hours{*hour} + std::chrono::minutes{*minute};
    rest.remove_prefix(2);
    if (rest.empty()) return all;
    if (rest.front() != ':' || rest.size() < 3) return std::nullopt;
    const auto second = number_of<unsigned>(rest.substr(1, 2));
    if (!second || *second > 60) return std::nullopt;
    all += std::chrono::seconds{*second};
    rest.remove_prefix(3);
    if (rest.empty()) return all;
    if (rest.front() != '.' && rest.front() != ',') return std::nullopt;
    const auto part = fraction(rest.substr(1));
    if (!part) return std::nullopt;
    return all + *part;
}

/// "2026-01-31".
std::optional<SystemTime> iso_date(std::string_view text) {
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
    const auto year = number_of<int>(text.substr(0, 4));
    const auto month = number_of<unsigned>(text.substr(5, 2));
    const auto day = number_of<unsigned>(text.substr(8, 2));
    if (!year || !month || !day) return std::nullopt;
    return instant(*year, *month, *day, 0, 0, 0);
}

unsigned month_of(std::string_view word) {
    const std::string lower = text::to_lower(word.substr(0, 3));
    for (std::size_t i = 0; i < k_months.size(); ++i) {
        if (lower == k_months[i] && word.size() <= 4) return static_cast<unsigned>(i + 1);
    }
    return 0;
}

std::optional<SystemTime> without_year(unsigned month, unsigned day, std::chrono::nanoseconds time, SystemTime now) {
    const auto today = std::chrono::year_month_day{std::chrono::floor<std::chrono::days>(now)};
    for (int year = static_cast<int>(today.year()) + 1; year > static_cast<int>(today.year()) - 9; --year) {  // 29 February
        const auto date = instant(year, month, day, 0, 0, 0);
        if (!date) continue;
        const auto when = with_fraction(*date, time);
        if (when <= now + std::chrono::hours{24}) return when;
    }
    return std::nullopt;
}

/// The time of a line of `ls -l`, in any of its forms: "Jan 31 23:59", "Jan 31  2026", "31 Jan 2026", "2026-01-31 23:59", "01-31 23:59",
/// "2026-01-31 23:59:59.123456789 +0100", "Jan 31 23:59:59 2026". Behind it comes one blank and the name.
std::optional<SystemTime> take_time(Cursor& cursor, SystemTime now) {
    const std::string_view first = cursor.word();
    if (const auto date = iso_date(first)) {
        const auto time = time_of_day(cursor.word());
        if (!time) return std::nullopt;
        auto when = with_fraction(*date, *time);
        Cursor ahead = cursor;
        const std::string_view zone = ahead.word();
        if (zone.size() == 5 && (zone[0] == '+' || zone[0] == '-')) {
            const auto offset = number_of<int>(zone.substr(1));
            if (offset) {
                const auto minutes = std::chrono::minutes{*offset / 100 * 60 + *offset % 100};
                when -= zone[0] == '+' ? minutes : -minutes;
                cursor = ahead;
            }
        }
        return when;
    }
    if (first.size() == 5 && first[2] == '-') {  // long-iso of other locales: month and day
        const auto month = number_of<unsigned>(first.substr(0, 2));
        const auto day = number_of<unsigned>(first.substr(3));
        const auto time = time_of_day(cursor.word());
        return month && day && time ? without_year(*month, *day, *time, now) : std::nullopt;
    }
    const std::string_view second = cursor.word();
    unsigned month = month_of(first);
    auto day = number_of<unsigned>(second);
    if (month == 0) {
        month = month_of(second);
        day = number_of<unsigned>(first.substr(0, first.find('.')));
    }
    if (month == 0 || !day) return std::nullopt;
    const std::string_view third = cursor.word();
    if (const auto time = time_of_day(third)) {
        // With seconds a year may follow, as BSD's ls -T has it; a name of four digits would look the same only there.
        if (third.size() > 5) {
            Cursor ahead = cursor;
            const std::string_view fourth = ahead.word();
            const auto year = number_of<int>(fourth);
            if (year && fourth.size() == 4 && !ahead.at_end()) {
                if (const auto date = instant(*year, month, *day, 0, 0, 0)) {
                    cursor = ahead;
                    return with_fraction(*date, *time);
                }
            }
        }
        return without_year(month, *day, *time, now);
    }
    const auto year = number_of<int>(third);
    if (!year || third.size() != 4) return std::nullopt;
    return instant(*year, month, *day, 0, 0, 0);
}

std::optional<FileType> unix_type(char c) noexcept {
    switch (c) {
        case '-': return FileType::file;
        case 'd': return FileType::directory;
        case 'l': return FileType::symlink;
        case 'b':
        case 'c':
        case 'p':
        case 's':
        case 'D': return FileType::other;
        default: return std::nullopt;
    }
}

/// "rwxr-sr-t", maybe with a mark of access lists behind it.
std::optional<std::uint32_t> unix_mode(std::string_view text) noexcept {
    if (text.size() < 9) return std::nullopt;
    std::uint32_t mode = 0;
    constexpr std::string_view k_plain = "rwxrwxrwx";
    for (std::size_t i = 0; i < 9; ++i) {
        const std::uint32_t bit = 1U << (8 - i);
        const char c = text[i];
        if (c == k_plain[i]) {
            mode |= bit;
        } else if (i % 3 == 2 && (c == 's' || c == 'S' || c == 't' || c == 'T' || c == 'l' || c == 'L')) {
            mode |= 01000U << (2 - i / 3);
            if (c == 's' || c == 't') mode |= bit;
        } else if (c != '-') {
            return std::nullopt;
        }
    }
    return mode;
}

/// Puts the name there; "a -> b" of links is parted.
ListingLine entry_named(FileInfo info, std::string_view name) {
    ListingLine line;
    if (info.type == FileType::symlink) {
        if (const std::size_t arrow = name.find(" -> "); arrow != std::string_view::npos && arrow > 0) {
            info.target = std::string{name.substr(arrow + 4)};
            name = name.substr(0, arrow);
        }
    }
    // Some servers list full paths, or "./name".
    while (name.size() > 2 && name.starts_with("./")) name.remove_prefix(2);
    if (name.size() > 1 && name.ends_with('/')) name.remove_suffix(1);
    if (name.empty() || name.find('/') != std::string_view::npos || name.find('\0') != std::string_view::npos) return line;
    line.kind = name == "." || name == ".." ? ListingLine::Kind::nothing : ListingLine::Kind::entry;
    info.name = std::string{name};
    line.info = std::move(info);
    return line;
}

ListingLine parse_unix(std::string_view text, SystemTime now) {
    Cursor cursor{text};
    const std::string_view first = cursor.word();
    FileInfo info;
    const auto type = unix_type(first.empty() ? ' ' : first.front());
    if (!type || first.size() < 10) return {};
    info.mode = unix_mode(first.substr(1));
    if (!info.mode) return {};
    info.type = *type;
    // Between mode and time there are two to four words: links, owner, group and size (or "major, minor"); owners may hold blanks. The time is the
    // first thing that looks like one behind a number.
    std::string_view before;
    std::string_view two_before;
    std::array<std::string_view, 12> seen{};
    for (int words = 0; words < 12; ++words) {
        Cursor attempt = cursor;
        const auto size = number_of<std::uint64_t>(before);
        if (words > 0 && size) {
            if (const auto when = take_time(attempt, now)) {
                info.modified = *when;
                if (info.type == FileType::file || info.type == FileType::symlink || info.type == FileType::directory) info.size = *size;
                if (two_before.ends_with(',')) info.size = 0;
                if (words == 4) {  // links, owner, group, size
                    info.uid = number_of<std::uint32_t>(seen[1]);
                    info.gid = number_of<std::uint32_t>(seen[2]);
                }
                if (!attempt.skip(' ')) return {};
                return entry_named(std::move(info), attempt.rest());
            }
        }
        two_before = before;
        before = cursor.word();
        if (before.empty()) return {};
        seen[static_cast<std::size_t>(words)] = before;
    }
    return {};
}

/// "01-31-26  11:59PM       <DIR>          name": the name is in the same column whatever comes before, so that blanks at its beginning stay.
ListingLine parse_windows(std::string_view text) {
    Cursor cursor{text};
    const std::string_view date = cursor.word();
    const std::string_view time = cursor.word();
    std::optional<SystemTime> day = iso_date(date);
    if (!day) {
        if (date.size() != 8 && date.size() != 10) return {};
        const char mark = date[2];
        if ((mark != '-' && mark != '/' && mark != '.') || date[5] != mark) return {};
        const auto one = number_of<unsigned>(date.substr(0, 2));
        const auto two = number_of<unsigned>(date.substr(3, 2));
        auto year = number_of<int>(date.substr(6));
        if (!one || !two || !year) return {};
        if (date.size() == 8) *year += *year < 70 ? 2000 : 1900;
        // Month first; a dot is the day's.
        day = mark == '.' ? instant(*year, *two, *one, 0, 0, 0) : instant(*year, *one, *two, 0, 0, 0);
        if (!day) day = instant(*year, *two, *one, 0, 0, 0);
        if (!day) return {};
    }
    std::string_view clock = time;
    bool afternoon = false;
    bool twelve_hours = false;
    if (clock.size() > 2) {
        const std::string half = text::to_lower(clock.substr(clock.size() - 2));
        twelve_hours = half == "am" || half == "pm";
        afternoon = half == "pm";
        if (twelve_hours) clock.remove_suffix(2);
    }
    auto since = time_of_day(clock);
    if (!since) return {};
    if (twelve_hours) {
        if (*since >= std::chrono::hours{12}) *since -= std::chrono::hours{12};
        if (afternoon) *since += std::chrono::hours{12};
    }
    FileInfo info;
    info.modified = with_fraction(*day, *since);
    const std::string_view what = cursor.word();
    if (what == "<DIR>") {
        info.type = FileType::directory;
    } else if (what == "<JUNCTION>" || what == "<SYMLINKD>" || what == "<SYMLINK>") {
        info.type = FileType::symlink;
    } else {
        std::string digits;
        for (const char c : what) {
            if (c != ',' && c != '.') digits += c;
        }
        const auto size = number_of<std::uint64_t>(digits);
        if (!size) return {};
        info.type = FileType::file;
        info.size = *size;
    }
    // Columns of IIS: 8 or 10 of the date, 2, 7 of the time, 22 more with "<DIR>" or the size at their end and a blank.
    const std::size_t column = date.size() + 31;
    const std::size_t at = text.size() - cursor.rest().size();
    std::string_view name;
    if (at < column && text.size() > column && text.substr(at, column - at).find_first_not_of(' ') == std::string_view::npos) {
        name = text.substr(column);
    } else {
        if (cursor.skip_blanks() == 0) return {};
        name = cursor.rest();
    }
    if (info.type == FileType::symlink) {
        const std::size_t bracket = name.rfind(" [");
        if (bracket != std::string_view::npos && name.ends_with(']')) {
            info.target = std::string{name.substr(bracket + 2, name.size() - bracket - 3)};
            name = name.substr(0, bracket);
        }
    }
    return entry_named(std::move(info), name);
}

void apply_fact(FileInfo& info, std::string_view fact, std::string_view value, bool& listed) {
    const std::string key = text::to_lower(fact);
    if (key == "type") {
        const std::string type = text::to_lower(value);
        if (type == "file") {
            info.type = FileType::file;
        } else if (type == "dir") {
            info.type = FileType::directory;
        } else if (type == "cdir" || type == "pdir") {
            info.type = FileType::directory;
            listed = false;
        } else if (type.starts_with("os.unix=symlink") || type.starts_with("os.unix=slink")) {
            info.type = FileType::symlink;
            if (const std::size_t colon = value.find(':'); colon != std::string_view::npos) info.target = std::string{value.substr(colon + 1)};
        } else {
            info.type = FileType::other;
        }
    } else if (key == "size" || key == "sizd") {
        if (const auto size = number_of<std::uint64_t>(value)) info.size = *size;
    } else if (key == "modify") {
        info.modified = parse_time(value);
    } else if (key == "unix.mode") {
        if (const auto mode = number_of<std::uint32_t>(value, 8)) info.mode = *mode & 07777U;
    } else if (key == "unix.uid" || key == "unix.owner") {
        if (const auto uid = number_of<std::uint32_t>(value)) info.uid = *uid;
    } else if (key == "unix.gid" || key == "unix.group") {
        if (const auto gid = number_of<std::uint32_t>(value)) info.gid = *gid;
    }
}

}  // namespace

std::optional<SystemTime> parse_time(std::string_view text) {
    text = text::trim(text);
    if (text.size() < 14) return std::nullopt;
    const auto year = number_of<int>(text.substr(0, 4));
    std::array<unsigned, 5> parts{};
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto part = number_of<unsigned>(text.substr(4 + 2 * i, 2));
        if (!part) return std::nullopt;
        parts[i] = *part;
    }
    if (!year) return std::nullopt;
    const auto when = instant(*year, parts[0], parts[1], static_cast<int>(parts[2]), static_cast<int>(parts[3]), static_cast<int>(parts[4]));
    if (!when || text.size() == 14) return when;
    if (text[14] != '.') return std::nullopt;
    const auto part = fraction(text.substr(15));
    return part ? std::optional{with_fraction(*when, *part)} : std::nullopt;
}

std::string format_time(SystemTime time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    const auto day = std::chrono::floor<std::chrono::days>(seconds);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{seconds - day};
    std::array<char, 80> text{};
    std::snprintf(text.data(), text.size(), "%04d%02u%02u%02d%02d%02d", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                  static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                  static_cast<int>(clock.seconds().count()));
    return text.data();
}

ListingLine parse_mlst(std::string_view text) {
    if (text.empty()) return {ListingLine::Kind::nothing, {}};
    FileInfo info;
    bool listed = true;
    // The facts end at the first blank: a name may hold anything.
    const std::size_t blank = text.find(' ');
    if (blank == std::string_view::npos) return {};
    std::string_view facts = text.substr(0, blank);
    if (!facts.empty() && facts.find('=') == std::string_view::npos) return {};
    while (!facts.empty()) {
        const std::size_t end = facts.find(';');
        const std::string_view fact = facts.substr(0, end);
        const std::size_t equals = fact.find('=');
        if (equals != std::string_view::npos) apply_fact(info, fact.substr(0, equals), fact.substr(equals + 1), listed);
        facts = end == std::string_view::npos ? std::string_view{} : facts.substr(end + 1);
    }
    std::string_view name = text.substr(blank + 1);
    // MLST tells the path.
    if (const std::size_t slash = name.rfind('/'); slash != std::string_view::npos && slash + 1 < name.size()) name.remove_prefix(slash + 1);
    if (name.empty() || name.find('\0') != std::string_view::npos) return {};
    info.name = std::string{name};
    if (name == "." || name == "..") listed = false;
    return {listed ? ListingLine::Kind::entry : ListingLine::Kind::nothing, std::move(info)};
}

ListingLine parse_list(std::string_view text, SystemTime now) {
    while (!text.empty() && text.back() == '\r') text.remove_suffix(1);
    if (text.find_first_not_of(" \t") == std::string_view::npos) return {ListingLine::Kind::nothing, {}};
    if (text.starts_with("total ") && text.find_first_not_of("0123456789 ", 6) == std::string_view::npos) return {ListingLine::Kind::nothing, {}};
    if (text.front() >= '0' && text.front() <= '9') return parse_windows(text);
    return parse_unix(text, now);
}

}  // namespace qconn::ftp
