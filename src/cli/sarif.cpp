// SPDX-License-Identifier: Apache-2.0
#include "cli/sarif.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include <qconn/base/url.hpp>

namespace qconn::cli {
namespace {

constexpr const char* k_schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
constexpr const char* k_base = "WORKINGDIR";

/// Braces are doubled, as single ones stand for arguments (SARIF 2.1.0, 3.11.5).
Value message_value(const std::string& message, const std::string& hint = {}) {
    std::string text;
    for (const char c : hint.empty() ? message : message + "; " + hint) text.append(c == '{' || c == '}' ? 2 : 1, c);
    return Map{{"text", std::move(text)}};
}

/// Columns of SARIF count from 1, the end is the one behind the last character (3.30.8).
Value region_value(const Place& place) {
    Map region{{"startLine", place.line}};
    if (place.column > 0) {
        region.set("startColumn", place.column);
        region.set("endLine", place.line);
        region.set("endColumn", place.column + std::max(place.length, 1U));
    }
    return region;
}

Map location_value(const Diagnostic& d, const SarifRun& run) {
    std::string uri = artifact_uri(d.file, run.directory);
    Map artifact{{"uri", uri}};
    if (!uri.starts_with("file:")) artifact.set("uriBaseId", k_base);
    Map physical{{"artifactLocation", std::move(artifact)}};
    if (d.place.line > 0) physical.set("region", region_value(d.place));
    Map location{{"physicalLocation", std::move(physical)}};
    if (!d.connection.empty()) location.set("logicalLocations", List{Map{{"name", d.connection}, {"kind", "resource"}}});
    return location;
}

Map related_value(const Diagnostic& note, const SarifRun& run) {
    Map location = location_value(note, run);
    location.set("message", message_value(note.message, note.hint));
    return location;
}

/// What a note and the finding that it belongs to have in common.
using Subject = std::pair<std::string, std::string>;
Subject subject_of(const Diagnostic& d) { return {d.code, d.connection}; }

/// "unknown-option" as words.
std::string words_of(std::string code) {
    std::replace(code.begin(), code.end(), '-', ' ');
    return code;
}

/// A rule a code, in the order in which they come up.
class Rules {
public:
    std::size_t index_of(const Diagnostic& d) {
        const auto at = std::find(codes_.begin(), codes_.end(), d.code);
        if (at != codes_.end()) return static_cast<std::size_t>(at - codes_.begin());
        codes_.push_back(d.code);
        rules_.push_back(Map{
            {"id", d.code}, {"shortDescription", Map{{"text", words_of(d.code)}}}, {"defaultConfiguration", Map{{"level", to_string(d.severity)}}}});
        return codes_.size() - 1;
    }
    List take() { return std::move(rules_); }

private:
    std::vector<std::string> codes_;
    List rules_;
};

}  // namespace

std::string artifact_uri(const std::string& file, const std::string& directory) {
    const auto whole = (std::filesystem::path{directory} / file).lexically_normal();
    const auto inside = whole.lexically_relative(std::filesystem::path{directory}.lexically_normal());
    const bool is_inside = !inside.empty() && *inside.begin() != "..";
    return is_inside ? percent_encode(inside.string(), "/") : "file://" + percent_encode(whole.string(), "/");
}

Value sarif_log(const Diagnostics& findings, const SarifRun& run) {
    // Notes stand at a place of their own, in another file maybe, before or after what they belong to.
    std::map<Subject, std::vector<const Diagnostic*>> notes;
    std::set<Subject> found;
    for (const Diagnostic& d : findings) {
        if (d.severity == Severity::note)
            notes[subject_of(d)].push_back(&d);
        else
            found.insert(subject_of(d));
    }
    Rules rules;
    List results;
    for (const Diagnostic& d : findings) {
        const bool is_note = d.severity == Severity::note;
        if (is_note && found.contains(subject_of(d))) continue;
        Map result{{"ruleId", d.code},
                   {"ruleIndex", static_cast<std::uint64_t>(rules.index_of(d))},
                   {"level", to_string(d.severity)},
                   {"message", message_value(d.message, d.hint)},
                   {"locations", List{location_value(d, run)}}};
        if (const auto related = notes.find(subject_of(d)); !is_note && related != notes.end()) {
            List places;
            for (const Diagnostic* note : related->second) places.push_back(related_value(*note, run));
            result.set("relatedLocations", std::move(places));
        }
        results.push_back(std::move(result));
    }
    List notifications;
    for (const std::string& failure : run.failures) notifications.push_back(Map{{"level", "error"}, {"message", message_value(failure)}});
    const std::string base = "file://" + percent_encode(run.directory, "/") + (run.directory.ends_with('/') ? "" : "/");
    return Map{
        {"$schema", k_schema},
        {"version", "2.1.0"},
        {"runs",
         List{Map{{"tool", Map{{"driver", Map{{"name", "qconn"}, {"version", run.version}, {"rules", rules.take()}}}}},
                  {"columnKind", "unicodeCodePoints"},
                  {"originalUriBaseIds", Map{{k_base, Map{{"uri", base}}}}},
                  {"invocations", List{Map{{"executionSuccessful", run.failures.empty()}, {"toolExecutionNotifications", std::move(notifications)}}}},
                  {"results", std::move(results)}}}}};
}

}  // namespace qconn::cli
