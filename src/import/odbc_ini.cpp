// SPDX-License-Identifier: Apache-2.0
/// odbc.ini of unixODBC and iODBC: each data source name becomes a datasource. One of a driver that is known goes to that driver of qconn's; any
/// other goes through ODBC by its name, and what else it says stays in odbc.ini.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "import/database.hpp"
#include "import/formats.hpp"
#include "import/lines.hpp"

namespace qconn::importing {
namespace {

struct Entry {
    std::string_view key;
    std::string_view value;
    Place place;
};

struct Section {
    std::string_view name;
    Place place;
    std::vector<Entry> entries;
};

std::vector<Section> sections_of(std::string_view text, Run& run) {
    std::vector<Section> sections;
    for (const Line& line : lines_of(text)) {
        const std::string_view trimmed = text::trim(line.text);
        if (trimmed.empty() || trimmed[0] == '#' || trimmed[0] == ';') continue;
        if (trimmed[0] == '[') {
            const auto close = trimmed.find(']');
            const std::string_view name = text::trim(trimmed.substr(1, close == std::string_view::npos ? close : close - 1));
            if (close == std::string_view::npos || name.empty()) {
                run.error("bad-line", line.start(), "this section has no name in brackets");
                sections.push_back({});  // what follows belongs to nothing
                continue;
            }
            sections.push_back({name, line.at(name), {}});
            continue;
        }
        const auto equals = trimmed.find('=');
        const std::string_view key = text::trim(trimmed.substr(0, equals));
        if (equals == std::string_view::npos || key.empty()) {
            run.error("bad-line", line.start(), "this is no line of an odbc.ini: KEY = VALUE or [SECTION] is expected");
            continue;
        }
        if (sections.empty()) {
            run.warning("not-carried", line.at(key), "the key " + quoted(key) + " stands before the first section and belongs to no data source");
            continue;
        }
        sections.back().entries.push_back({key, text::trim(trimmed.substr(equals + 1)), line.at(key)});
    }
    return sections;
}

class Reader {
public:
    explicit Reader(Run& run) : run_{run} {}

    void read(std::string_view text) {
        const std::vector<Section> sections = sections_of(text, run_);
        for (const Section& section : sections) {
            if (text::iequals(section.name, "ODBC Data Sources")) listed_.insert(listed_.end(), section.entries.begin(), section.entries.end());
        }
        std::vector<std::string_view> known;
        for (const Section& section : sections) {
            if (section.name.empty() || text::iequals(section.name, "ODBC Data Sources")) continue;
            if (text::iequals(section.name, "ODBC")) {
                for (const Entry& entry : section.entries)
                    run_.note("not-carried", entry.place, "the setting " + quoted(entry.key) + " of the driver manager is not carried over");
                continue;
            }
            known.push_back(section.name);
            if (!run_.may_begin(section.place)) return;
            source(section);
        }
        for (const Entry& entry : listed_) {
            if (std::none_of(known.begin(), known.end(), [&](std::string_view name) { return text::iequals(name, entry.key); }))
                run_.warning("no-section", entry.place, "the data source " + quoted(entry.key) + " is listed and has no section in this file");
        }
    }

private:
    void source(const Section& section) {
        Draft draft;
        draft.name = run_.name(section.name, section.place);
        draft.place = section.place;
        Fields fields{run_, draft.name, "the key "};
        for (const Entry& entry : section.entries) fields.add({std::string{entry.key}, Value{entry.value}, entry.place});

        const auto listed = std::find_if(listed_.begin(), listed_.end(), [&](const Entry& entry) { return text::iequals(entry.key, section.name); });
        const std::string driver_name = fields.raw({"Driver"});
        const std::string_view listed_as = listed != listed_.end() ? listed->value : std::string_view{};
        draft.driver = driver_for(driver_name);
        if (draft.driver.empty()) draft.driver = driver_for(listed_as);
        draft.description = fields.raw({"Description", "Desc"});
        if (draft.description.empty())
            draft.description = listed_as.empty() ? "ODBC data source " + std::string{section.name} : std::string{listed_as};

        if (draft.driver.empty()) {
            through_odbc(section, fields, draft);
            return;
        }
        fields.drop({"Driver64", "Setup"});
        fill_database(fields, draft);
        fields.tell_rest();
        run_.add(std::move(draft));
    }

    /// The driver manager finds everything else under the name.
    void through_odbc(const Section& section, Fields& fields, Draft& draft) {
        draft.scheme = "db";
        draft.driver = "odbc";
        draft.database = literal(section.name);
        draft.user = fields.text({"user", "username", "uid", "userid", "user id", "logonid"});
        draft.password = fields.secret({"password", "pwd"}, "password");
        if (draft.user.empty() && draft.password) {
            run_.warning("not-carried", draft.place, "the password is not carried over: a datasource URL has none without a user", {}, draft.name);
            draft.password.reset();
        }
        run_.note("odbc-ini", section.place,
                  "no driver of qconn's is known for this one: it goes through ODBC, which finds its other keys in odbc.ini",
                  "keep odbc.ini where the connection is used", draft.name);
        run_.add(std::move(draft));
    }

    Run& run_;
    std::vector<Entry> listed_;
};

}  // namespace

void read_odbc_ini(std::string_view text, Run& run) { Reader{run}.read(text); }

}  // namespace qconn::importing
