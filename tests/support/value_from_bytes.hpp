// SPDX-License-Identifier: Apache-2.0
/// Values of every kind out of arbitrary bytes: the same for fuzzing and for tests with a seeded generator.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include <qconn/base/value.hpp>

namespace qconn::test {

class ValueMaker {
public:
    explicit ValueMaker(std::string_view bytes) : bytes_{bytes} {}

    Value value(int depth = 0) {
        switch (byte() % (depth < 6 ? 14 : 10)) {
            case 0: return {};
            case 1: return Value{(byte() & 1U) != 0};
            case 2: return Value{static_cast<long long>(number())};
            case 3: return Value{static_cast<unsigned long long>(number())};
            case 4: return Value{real()};
            case 5: return Value::decimal(digits());
            case 6: return Value{words()};
            case 7: return Value::binary(raw(byte() % 40U));
            case 8: return Value{timestamp()};
            case 9: return Value{duration()};
            case 10: return Value{list(depth)};
            case 11: return Value{map(depth)};
            case 12: return Value{words()};
            default: {
                const std::string tag = "!" + name();  // named: the order of arguments is the compiler's choice
                return Value::tagged(tag, tag_content(depth));
            }
        }
    }

    std::uint8_t byte() {
        if (at_ >= bytes_.size()) return 0;
        return static_cast<std::uint8_t>(bytes_[at_++]);
    }
    std::string raw(std::size_t n) {
        std::string out{bytes_.substr(std::min(at_, bytes_.size()), n)};
        at_ += out.size();
        return out;
    }

private:
    std::uint64_t number() {
        std::uint64_t v = 0;
        for (std::size_t i = byte() % 9U; i > 0; --i) v = v << 8U | byte();
        return v;
    }
    double real() {
        const std::uint64_t bits = number();
        double d = 0;
        std::memcpy(&d, &bits, sizeof d);
        return std::isnan(d) ? 0.5 : d;  // NaN equals nothing
    }
    std::string digits() {
        std::string out = (byte() & 1U) ? "-" : "";
        for (std::size_t i = byte() % 60U + 1; i > 0; --i) out += static_cast<char>('0' + byte() % 10U);
        if (byte() & 1U) {
            out += '.';
            for (std::size_t i = byte() % 30U + 1; i > 0; --i) out += static_cast<char>('0' + byte() % 10U);
        }
        if (byte() & 1U) out += "e" + std::to_string(static_cast<int>(byte()) * 7 - 800);
        return out;
    }
    /// Text with much of what a writer can get wrong.
    std::string words() {
        static constexpr std::string_view k_pieces[] = {"a",
                                                        "B9",
                                                        " ",
                                                        "  ",
                                                        ":",
                                                        ": ",
                                                        "#",
                                                        " #",
                                                        "\n",
                                                        "\n\n",
                                                        "\t",
                                                        "\r",
                                                        "-",
                                                        "- ",
                                                        "?",
                                                        "\"",
                                                        "'",
                                                        "\\",
                                                        "[",
                                                        "]",
                                                        "{",
                                                        "}",
                                                        ",",
                                                        "&x",
                                                        "*x",
                                                        "!t",
                                                        "|",
                                                        ">",
                                                        "%",
                                                        "@",
                                                        "`",
                                                        "true",
                                                        "null",
                                                        "~",
                                                        "no",
                                                        "0x1F",
                                                        "010",
                                                        "1e3",
                                                        "-1",
                                                        ".inf",
                                                        "P1D",
                                                        "12:30",
                                                        "3.5n",
                                                        "2020-01-01",
                                                        "\xC3\xA4",
                                                        "\xC2\x85",
                                                        "\xE2\x80\xA8",
                                                        "\xEF\xBB\xBF",
                                                        "---",
                                                        "...",
                                                        "\x01",
                                                        "\x7F",
                                                        "\xF0\x9F\x98\x80",
                                                        "<",
                                                        "&amp;",
                                                        "]]>",
                                                        "sqlnull",
                                                        "@inf@",
                                                        "=",
                                                        "<<",
                                                        "\xEF\xBF\xBE",
                                                        "\xEF\xBF\xBF",
                                                        "\xC2\xA0",
                                                        "name"};
        std::string out;
        for (std::size_t i = byte() % 12U; i > 0; --i) out += k_pieces[byte() % std::size(k_pieces)];
        return out;
    }
    std::string name() {
        std::string out;
        for (std::size_t i = byte() % 6U + 1; i > 0; --i) out += static_cast<char>('a' + byte() % 26U);
        return "x" + out;
    }
    Timestamp timestamp() {
        Timestamp t;
        t.has_zone = (byte() & 1U) != 0;
        t.seconds = static_cast<std::int64_t>(number() % 300'000'000'000U) - 62'000'000'000;
        if (t.seconds > 253'000'000'000) t.seconds = 0;
        if (byte() & 1U) t.seconds -= t.seconds % 86'400;
        if (byte() & 1U) t.nanoseconds = static_cast<std::uint32_t>(number() % 1'000'000'000U);
        if (t.has_zone) t.zone_minutes = static_cast<std::int16_t>(static_cast<int>(number() % 1681U) - 840);
        return t;
    }
    Duration duration() {
        Duration d;
        d.months = static_cast<std::int32_t>(number());
        d.days = static_cast<std::int32_t>(number());
        d.nanoseconds = static_cast<std::int64_t>(number());
        if (byte() & 1U) d.nanoseconds -= d.nanoseconds % 1000;
        return d;
    }
    List list(int depth) {
        List out;
        for (std::size_t i = byte() % 5U; i > 0; --i) out.push_back(value(depth + 1));
        return out;
    }
    Map map(int depth) {
        Map out;
        for (std::size_t i = byte() % 6U; i > 0; --i) {
            std::string key = (byte() & 3U) == 0 ? words() : name();
            out.insert(std::move(key), value(depth + 1));
        }
        return out;
    }
    Value tag_content(int depth) {
        switch (byte() % 5U) {
            case 0: return Value{words()};
            case 1: return Value{list(depth + 1)};
            case 2: return Value{map(depth + 1)};
            case 3: return Value{static_cast<long long>(number())};
            default: return {};
        }
    }

    std::string_view bytes_;
    std::size_t at_{0};
};

}  // namespace qconn::test
