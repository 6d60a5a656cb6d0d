// SPDX-License-Identifier: Apache-2.0
// Documents in every style that people use, changed at random: an edit does what was meant or refuses, and touches no line that it need not.
#include <algorithm>
#include <random>

#include <qconn/base/error.hpp>
#include <qconn/core/edit.hpp>

#include "support/catch.hpp"

using qconn::Definition;
using qconn::Error;
using qconn::List;
using qconn::Map;
using qconn::Value;

namespace {

class Generator {
public:
    explicit Generator(unsigned seed) : random_{seed} {}

    unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }
    bool chance(unsigned percent) { return below(100) < percent; }
    template <std::size_t N>
    std::string one(const char* const (&words)[N]) {
        return words[below(N)];
    }

    std::string document(const std::string& name) {
        std::string out;
        const auto line = [&](const std::string& text) {
            if (chance(15)) out += chance(50) ? "# a comment: with - signs\n" : "\n";
            out += text + (chance(15) ? "   # why" : "") + "\n";
        };
        if (chance(8)) return "{type: connection, name: " + name + ", desc: d, url: 'shop://h', options: {a: 1, b: \"x\"}}\n";
        line("type: connection");
        line("name: " + name);
        if (chance(80)) line(one({"desc: text", "desc: 'it''s'", "desc: \"quoted \\\" text\"", "desc:"}));
        line(one({"url: shop://h/x", "url: 'shop://h'", "url: \"shop://u:p@h\"", "url: &u shop://h"}));
        if (chance(30)) line(one({"enabled: true", "enabled: no", "enabled: ~"}));
        if (chance(85)) options(out, line);
        if (chance(30)) out += one({"tags: {x: 1}\n", "tags:\n- not\n", "tags: x=1\n", "tags:\n    x: y\n    z: 1\n"});
        if (chance(20)) out += one({"odd:\n- 1\n- 2\n", "odd: >\n  folded\n  text\n", "odd: {a: [1, 2]}\n"});
        return out;
    }

    Value value() {
        switch (below(8)) {
            case 0: return {};
            case 1: return static_cast<int>(below(1000));
            case 2: return chance(50);
            case 3: return List{"x", static_cast<int>(below(9)), "y: z"};
            case 4: return Map{{"k", text()}, {"m", 1}};
            case 5: return 1.5;
            default: return text();
        }
    }
    std::string text() {
        return one({"plain",
                    "yes",
                    "1",
                    "0x1F",
                    "a: b",
                    "x #y",
                    "#",
                    "",
                    " ",
                    "it's",
                    "\"",
                    "\\n",
                    "two\nlines\n",
                    "- x",
                    "{x}",
                    "[",
                    "*a",
                    "&a",
                    "ü",
                    "1.10",
                    "null",
                    "${env:X}",
                    "a, b",
                    "x:",
                    "\ttab",
                    "%",
                    "@",
                    "very long text that goes on and on, with commas, and: colons"});
    }

private:
    template <class Line>
    void options(std::string& out, Line& line) {
        if (chance(12)) return line(one({"options:", "options: {}", "options: ~", "options: 'a=1, b=x'", "options: {a: 1, \"b\": x, c: [1, 2]}"}));
        if (chance(8)) {
            out += "options: {\n  a: 1,  # one\n  b: 'x',\n  c: {k: v}\n}\n";
            return;
        }
        line(chance(80) ? "options:" : "opts:");
        const std::string pad(1 + below(6), ' ');
        const std::string inner = pad + std::string(1 + below(4), ' ');
        for (const char* name : {"a", "b", "c", "d", "e"}) {
            if (std::string{name} != "a" && chance(30)) continue;
            const std::string head = pad + (chance(10) ? "\"" + std::string{name} + "\"" : name) + ":";
            switch (below(12)) {
                case 0: line(head + " {type: int, value: 30}"); break;
                case 1: out += head + "\n" + inner + "type: string\n" + inner + "value: text\n"; break;
                case 2: out += head + "\n" + inner + "k: v\n" + inner + "m: 2  # two\n"; break;
                case 3: out += head + "\n" + inner + "- x\n" + inner + "- y\n"; break;
                case 4: out += head + "\n" + pad + "- x\n" + pad + "- y\n"; break;
                case 5:
                    out += head + one({" |", " |-", " |+", " >-  # folded"}) + "\n" + inner + "text\n" + inner + "more\n" + (chance(30) ? "\n" : "");
                    break;
                case 6: line(head); break;
                case 7: line(head + " &x" + name + " 1"); break;
                case 8: line(head + " ['a', {k: v}]"); break;
                default: line(head + " " + one({"1", "text", "'single'", "\"double\"", "true", "~", "!!str 5", "{k: v, m: 1}"}));
            }
        }
    }

    std::mt19937 random_;
};

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> out;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        out.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return out;
}

/// Lines of `before` that are not in `after` in this order.
std::size_t lost(const std::vector<std::string>& before, const std::vector<std::string>& after) {
    std::vector<std::vector<std::size_t>> common(before.size() + 1, std::vector<std::size_t>(after.size() + 1, 0));
    for (std::size_t i = before.size(); i-- > 0;)
        for (std::size_t j = after.size(); j-- > 0;)
            common[i][j] = before[i] == after[j] ? common[i + 1][j + 1] + 1 : std::max(common[i + 1][j], common[i][j + 1]);
    return before.size() - common[0][0];
}

}  // namespace

TEST_CASE("whatever the style of a document, an edit comes out as meant and all other documents are what they were", "[edit]") {
    std::size_t done = 0;
    std::size_t refused = 0;
    for (unsigned seed = 0; seed < 1500; ++seed) {
        Generator generator{seed};
        std::string text = (generator.chance(20) ? "# head\n\n" : "") + generator.document("a");
        if (generator.chance(40)) text += "---\n" + generator.document("b");
        if (generator.chance(20)) text = generator.document("z") + "---\n" + text;
        if (generator.chance(20)) text.pop_back();
        if (generator.chance(15))
            for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) text.insert(at, 1, '\r');
        const auto before = qconn::parse_definitions(text, "f");
        REQUIRE_FALSE(before.unreadable);
        Definition meant;
        for (const auto& one : before.definitions)
            if (one.name == "a") meant = one;
        REQUIRE(meant.name == "a");

        for (unsigned n = 1 + generator.below(2); n > 0; --n) {
            const std::string name = generator.one({"a", "b", "c", "e", "new", "x y"});
            switch (generator.below(8)) {
                case 0: meant.options.erase(name); break;
                case 1: meant.description = generator.text(); break;
                case 2: meant.url = "shop://" + generator.text(); break;
                case 3: meant.enabled = generator.chance(50) ? std::optional<bool>{generator.chance(50)} : std::nullopt; break;
                case 4: meant.tags.set("x", generator.value()); break;
                default: meant.options.set(name, generator.value());
            }
        }
        CAPTURE(seed, text);
        try {
            const std::string result = qconn::edit_definition(text, "a", meant);
            const auto after = qconn::parse_definitions(result, "f");
            REQUIRE(after.definitions.size() == before.definitions.size());
            for (std::size_t i = 0; i < after.definitions.size(); ++i)
                CHECK(after.definitions[i] == (before.definitions[i].name == "a" ? meant : before.definitions[i]));
            CAPTURE(result);
            CHECK(lost(lines_of(text), lines_of(result)) <= 12);  // two values of at most five lines each
            ++done;
        } catch (const Error& error) {
            CHECK(error.name() == "EDIT-ERROR");
            UNSCOPED_INFO(error.what());
            if (++refused > 25) FAIL("too many are refused: " << error.what() << "\n" << text);
        }
    }
    CHECK(done > 1475);
}
