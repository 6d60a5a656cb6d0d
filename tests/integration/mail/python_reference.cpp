// SPDX-License-Identifier: Apache-2.0
// The mails of tests/data/mail/mails.py, as Python's email package reads them and as qconn does.
#include <qconn/mail/parsed_mail.hpp>

#include <cstdlib>
#include <string>

#include "base/json.hpp"
#include "base/text.hpp"
#include "net/sha256.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace qconn;

namespace {

std::string python_text(const Value& value) { return value.is_string() ? std::string{value.as_string()} : std::string{}; }

/// Python's get_content() and ours, apart from line ends.
std::string without_returns(std::string text) {
    std::erase(text, '\r');
    return text;
}

std::string sha256_of(const std::string& bytes) {
    net::Sha256 digest;
    digest.add(bytes);
    return text::to_hex(digest.finish());
}

/// Where the two differ; fields that are listed to do so are left out, and told where they do not.
class Comparison {
public:
    Comparison(const Value& reference, std::string data) : reference_{reference}, mail_{parse_mail(std::move(data))} {
        headers();
        same("subject", python_text(reference_["subject"]), mail_.subject());
        addresses("from", mail_.from());
        addresses("to", mail_.to());
        addresses("cc", mail_.cc());
        date();
        parts();
        const Value& differs = reference_["differs"];
        for (const auto& [field, reason] : differs.as_map())
            if (!differed_.contains(field)) problems += field + " is the same, although it is listed as different\n";
    }
    std::string problems;

private:
    void same(const std::string& field, const std::string& python, const std::string& ours) {
        if (python == ours) return;
        differed_.insert(field);
        if (reference_["differs"].as_map().contains(field)) return;
        problems += field + ": \"" + text::printable(text::shorten(python, 300)) + "\" by Python, \"" + text::printable(text::shorten(ours, 300)) +
                    "\" by qconn\n";
    }
    void headers() {
        std::string python;
        for (const Value& one : reference_["headers"].as_list()) python += std::string{one.as_string()} + '\n';
        std::string ours;
        for (const MailHeader& one : mail_.root().headers()) ours.append(one.name).append("\n");
        same("headers", python, ours);
    }
    void addresses(const std::string& field, const std::vector<MailAddress>& all) {
        std::string python;
        if (reference_[field].is_list()) {
            for (const Value& one : reference_[field].as_list())
                python += std::string{one[0].as_string()} + " <" + std::string{one[1].as_string()} + ">\n";
        }
        std::string ours;
        for (const MailAddress& one : all) ours += one.name + " <" + one.address + ">\n";
        same(field, python, ours);
    }
    void date() {
        const Value& value = reference_["date"];
        std::string python = "none";
        if (value.is_list()) python = std::to_string(value[0].as_int64()) + ' ' + std::to_string(value[1].as_int64());
        std::string ours = "none";
        if (const auto got = mail_.date()) ours = std::to_string(got->time.time_since_epoch().count()) + ' ' + std::to_string(got->offset.count());
        same("date", python, ours);
    }
    void parts() {
        const auto all = mail_.parts();
        const List& reference = reference_["parts"].as_list();
        same("parts", std::to_string(reference.size()), std::to_string(all.size()));
        if (reference.size() != all.size()) return;
        for (std::size_t i = 0; i < all.size(); ++i) part(reference[i], all[i]);
    }
    void part(const Value& value, const MailPart& part) {
        const std::string path = python_text(value["path"]) + '.';
        same(path + "type", python_text(value["type"]), std::string{part.content_type()});
        same(path + "filename", python_text(value["filename"]), part.file_name());
        same(path + "disposition", python_text(value["disposition"]), part.disposition());
        same(path + "children", std::to_string(value["children"].as_int64()), std::to_string(part.children().size()));
        same(path + "headers", std::to_string(value["headers"].as_int64()), std::to_string(part.headers().size()));
        if (!value["sha256"].is_string()) return;
        const std::string body = part.body();
        same(path + "sha256", python_text(value["sha256"]), sha256_of(body));
        if (value["text"].is_string()) same(path + "text", without_returns(python_text(value["text"])), without_returns(part.text().text));
    }

    const Value& reference_;
    const ParsedMail mail_;
    std::set<std::string> differed_;
};

}  // namespace

TEST_CASE("two hundred mails are read as Python reads them, but for what is listed with its reason", "[mail]") {
    const test::TempDir folder;
    const std::string command = "/usr/bin/python3 " QCONN_TESTS_DIR "/data/mail/mails.py " + folder.path();
    REQUIRE(std::system(command.c_str()) == 0);
    const Value all = json::decode(folder.read("reference.json")).value();
    CHECK(all.as_map().size() >= 200);

    for (const auto& [name, reference] : all.as_map()) {
        const Comparison comparison{reference, folder.read(name + ".eml")};
        INFO(name);
        CHECK(comparison.problems == "");
    }
}

TEST_CASE("a mail that ends anywhere, or has any byte changed, is read without harm", "[mail]") {
    const test::TempDir folder;
    const std::string command = "/usr/bin/python3 " QCONN_TESTS_DIR "/data/mail/mails.py " + folder.path();
    REQUIRE(std::system(command.c_str()) == 0);
    const Value all = json::decode(folder.read("reference.json")).value();

    std::size_t parts = 0;
    for (const auto& [name, reference] : all.as_map()) {
        const std::string whole = folder.read(name + ".eml");
        for (std::size_t size = 0; size < whole.size(); size += 37) {
            const ParsedMail mail = parse_mail(whole.substr(0, size));
            for (const MailPart& part : mail.parts()) {
                REQUIRE(part.offset() + part.raw().size() <= size);
                parts += part.text().text.size() + part.file_name().size();
            }
        }
    }
    CHECK(parts > 0);
}
