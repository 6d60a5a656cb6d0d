// SPDX-License-Identifier: Apache-2.0
#include "core/secret_ref.hpp"

#include <cstdlib>
#include <fstream>
#include <string>

#include <sys/stat.h>
#include <unistd.h>

#include <qconn/base/error.hpp>

#include "core/environment.hpp"
#include "core/secret_reader.hpp"
#include "support/catch.hpp"

using qconn::Error;
using qconn::List;
using qconn::Map;
using qconn::Phase;
using qconn::Reason;
using qconn::Value;
using namespace qconn::core;

namespace {

constexpr const char* k_canary = "canary-5e1f";

class TempDir {
public:
    TempDir() {
        char name[] = "/tmp/qconn-secret-XXXXXX";
        REQUIRE(::mkdtemp(name) != nullptr);
        path_ = name;
    }
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    ~TempDir() {
        for (const auto& file : files_) ::unlink(file.c_str());
        ::rmdir(path_.c_str());
    }
    std::string write(const std::string& name, const std::string& content) {
        const std::string file = path_ + "/" + name;
        std::ofstream{file, std::ios::binary} << content;
        files_.push_back(file);
        return file;
    }
    const std::string& path() const noexcept { return path_; }

private:
    std::string path_;
    std::vector<std::string> files_;
};

/// As the option of a definition in that directory.
std::string resolved(const std::string& text, bool environment = false, const std::string& directory = {}) {
    qconn::Definition definition;
    definition.name = "shop";
    if (!directory.empty()) definition.file = directory + "/shop.qconn.yaml";
    SecretReader reader{SecretTable::builtin(), definition};
    return resolve_text(text, environment, "option 'x'", [&](const SecretRef& reference) { return reader.read(reference); });
}

Error failure(const std::string& text) {
    try {
        (void)resolved(text);
    } catch (const Error& e) { return e; }
    FAIL("no error");
    throw 0;
}

}  // namespace

TEST_CASE("a text is taken apart into references, literals and the rest", "[secret]") {
    const auto scan = scan_secrets("a${env:B}c$${d}${file:/e/{f}}$");

    REQUIRE(scan.pieces.size() == 7);
    CHECK(scan.pieces[0].text == "a");
    CHECK(scan.pieces[1].reference.prefix == "env");
    CHECK(scan.pieces[1].reference.argument == "B");
    CHECK(scan.pieces[1].reference.text() == "${env:B}");
    CHECK(scan.pieces[2].text == "c");
    CHECK(scan.pieces[3].kind == SecretPiece::Kind::literal);
    CHECK(scan.pieces[4].text == "d}");
    CHECK(scan.pieces[5].reference.argument == "/e/{f}");
    CHECK(scan.problems.empty());
}

TEST_CASE("what is no reference is plain text", "[secret]") {
    for (const char* text : {"${NAME}", "${", "$", "${}", "$(x)", "$env:X", "${1:2}", "p${w"}) {
        const auto scan = scan_secrets(text);
        INFO(text);
        CHECK_FALSE(scan.has_references());
        CHECK(scan.problems.empty());
        CHECK(resolved(text) == text);
    }
}

TEST_CASE("broken references are findings with a place, and quote nothing", "[secret]") {
    const auto scan = scan_secrets("ab${env:S3");
    REQUIRE(scan.problems.size() == 1);
    CHECK(scan.problems[0].offset == 2);
    CHECK(scan.problems[0].message.find("not closed") != std::string::npos);
    CHECK(scan.problems[0].message.find("S3") == std::string::npos);

    const auto finding = [](std::string_view text) {
        const auto scanned = scan_secrets(text);
        INFO(text);
        REQUIRE(scanned.pieces.size() == 1);
        const auto found = SecretTable::builtin().finding(scanned.pieces[0].reference);
        REQUIRE(found);
        CHECK(found->message.find("S3") == std::string::npos);
        CHECK(found->message.find("hunter") == std::string::npos);
        CHECK(found->hint.find("hunter") == std::string::npos);
        return *found;
    };
    CHECK(finding("${env:S3-x}").message.find("no name") != std::string::npos);
    CHECK(finding("${env:}").message.find("names nothing") != std::string::npos);
    CHECK(finding("${file: }").message.find("names nothing") != std::string::npos);
    CHECK(finding("${evn:S3}").hint.find("did you mean '${env:'") != std::string::npos);
    CHECK(finding("${hunter2:S3}").hint.find("${file:…}") != std::string::npos);
    CHECK(finding("${cmd:S3}").code == "secret-command");
}

TEST_CASE("environment references are put in, and never read again", "[secret]") {
    ::setenv("QCONN_T_A", "x${env:QCONN_T_B}$QCONN_T_B", 1);
    ::setenv("QCONN_T_B", k_canary, 1);

    CHECK(resolved("<${env:QCONN_T_A}>") == "<x${env:QCONN_T_B}$QCONN_T_B>");
    CHECK(resolved("<${env:QCONN_T_A}>", true) == "<x${env:QCONN_T_B}$QCONN_T_B>");
    CHECK(resolved("$${env:QCONN_T_A}") == "${env:QCONN_T_A}");
    CHECK(resolved("$${QCONN_T_B}", true) == "${QCONN_T_B}");
    CHECK(resolved("$QCONN_T_B/${env:QCONN_T_B}/${QCONN_T_B}", true) == std::string{} + k_canary + "/" + k_canary + "/" + k_canary);
    CHECK(resolved("$QCONN_T_B", false) == "$QCONN_T_B");
}

TEST_CASE("what comes from the environment's substitution never forms a reference", "[secret]") {
    ::setenv("QCONN_T_B", k_canary, 1);
    ::setenv("QCONN_T_REF", "${env:QCONN_T_B}", 1);
    ::setenv("QCONN_T_OPEN", "${env:", 1);

    CHECK(resolved("$QCONN_T_REF", true).find(k_canary) == std::string::npos);
    CHECK(resolved("${QCONN_T_OPEN}QCONN_T_B}", true).find(k_canary) == std::string::npos);
}

TEST_CASE("file references lose one newline at the end", "[secret]") {
    TempDir dir;
    const auto one = dir.write("one", std::string{k_canary} + "\n");
    const auto crlf = dir.write("crlf", "a\r\n");
    const auto two = dir.write("two", "a\n\n");
    const auto none = dir.write("none", "a");
    const auto empty = dir.write("empty", "");

    CHECK(resolved("${file:" + one + "}") == k_canary);
    CHECK(resolved("${file:" + crlf + "}") == "a");
    CHECK(resolved("${file:" + two + "}") == "a\n");
    CHECK(resolved("${file:" + none + "}") == "a");
    CHECK(resolved("${file:" + empty + "}").empty());
    CHECK(resolved("${file:one}", false, dir.path()) == k_canary);
}

TEST_CASE("a missing secret is an error of phase secret that names the reference", "[secret]") {
    ::unsetenv("QCONN_T_NONE");
    const auto missing = failure("${env:QCONN_T_NONE}");
    CHECK(missing.name() == "SECRET-ERROR");
    CHECK(missing.phase() == Phase::secret);
    CHECK(missing.reason() == Reason::missing);
    CHECK(missing.connection() == "shop");
    CHECK(std::string{missing.what()}.find("${env:QCONN_T_NONE}") != std::string::npos);

    TempDir dir;
    CHECK(failure("${file:" + dir.path() + "/none}").reason() == Reason::missing);
    CHECK(failure("${file:" + dir.path() + "}").reason() == Reason::bad_value);
    CHECK(std::string{failure("${cmd:echo x}").what()}.find("does not run commands") != std::string::npos);
    CHECK(failure("${cmd:echo x}").reason() == Reason::unsupported);
}

TEST_CASE("a pipe and a file that is too large are refused without waiting", "[secret]") {
    TempDir dir;
    const auto large = dir.write("large", std::string(k_max_secret_file + 1, 's'));
    const auto fifo = dir.write("fifo", "");
    ::unlink(fifo.c_str());
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);

    CHECK(failure("${file:" + large + "}").reason() == Reason::limit);
    CHECK(failure("${file:" + fifo + "}").reason() == Reason::bad_value);
}

TEST_CASE("an error never shows the content of another secret of the same text", "[secret]") {
    ::setenv("QCONN_T_B", k_canary, 1);
    ::unsetenv("QCONN_T_NONE");

    CHECK(std::string{failure("${env:QCONN_T_B}${env:QCONN_T_NONE}").what()}.find(k_canary) == std::string::npos);
}

TEST_CASE("tokens stand for references while a parser looks at the text", "[secret]") {
    const SecretTokens tokens{"https://u:${env:P}@h/qref0z/${file:/a/b}?$${x"};

    CHECK(tokens.opaque().find("${") == std::string::npos);
    CHECK(tokens.opaque().find("/a/b") == std::string::npos);
    CHECK(tokens.restore(tokens.opaque()) == "https://u:${env:P}@h/qref0z/${file:/a/b}?$${x");
    CHECK(tokens.restore("qref0z") == "qref0z");
    const SecretTokens nested{"${env:A},${env:B}"};
    const auto comma = nested.opaque().find(',');
    const Value value{Map{{"k", List{Value{nested.opaque().substr(comma + 1)}, 1}}}};
    CHECK(nested.restore_value(value) == Value{Map{{"k", List{"${env:B}", 1}}}});
}

TEST_CASE("references are collected from nested values", "[secret]") {
    std::vector<SecretRef> refs;
    collect_references(Value{Map{{"a", "Bearer ${env:T}"}, {"b", List{"${file:/x}", 3, "$${env:N}"}}}}, refs);

    REQUIRE(refs.size() == 2);
    CHECK(refs[0].text() == "${env:T}");
    CHECK(refs[1].text() == "${file:/x}");
}

TEST_CASE("environment variables are replaced by the three rules in turn", "[environment]") {
    const EnvironmentLookup lookup = [](const std::string& name) -> std::optional<std::string> {
        if (name == "A") return "1";
        if (name == "B") return "$A-$A";
        if (name == "LOOP") return "x$LOOP";
        if (name == "A b") return "spaced";
        return std::nullopt;
    };
    const auto replaced = [&](std::string_view text) { return substitute_environment(text, "option 'x'", lookup); };

    CHECK(replaced("$A/${A}/$(A)") == "1/1/1");
    CHECK(replaced("$B") == "1-1");
    CHECK(replaced("[$NONE][${NONE}][$(NONE)]") == "[][][]");
    CHECK(replaced("${A b}") == "spaced");
    CHECK(replaced("$1 $_A $ ${A $(A") == "$1 $_A $ ${A $(A");
    CHECK(replaced("$A_B") == "");
    CHECK(replaced("no variable") == "no variable");
    try {
        (void)replaced("$LOOP");
        FAIL("no error");
    } catch (const Error& e) {
        CHECK(e.name() == "LIMIT-EXCEEDED");
        CHECK(std::string{e.what()}.find("LOOP") != std::string::npos);
        CHECK(std::string{e.what()}.find("option 'x'") != std::string::npos);
    }
    CHECK_THROWS_AS(substitute_environment("$A$A$A", "x", lookup, {.max_replacements = 2}), Error);
    CHECK_THROWS_AS(substitute_environment("$B", "x", lookup, {.max_size = 3}), Error);
}
