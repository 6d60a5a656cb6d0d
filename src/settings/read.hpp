// SPDX-License-Identifier: Apache-2.0
/// Settings as they are given in a file, in the environment and by code: checked, with their places.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/value.hpp>
#include <qconn/core/diagnostic.hpp>
#include <qconn/settings/settings.hpp>

#include "core/catalogue_impl.hpp"
#include "core/parsed_source.hpp"

namespace qconn::settings {

/// A value that one of the sources gives.
struct Given {
    Value value;
    SettingOrigin origin{SettingOrigin::code};
    /// The file, or the environment variable.
    std::string file{};
    Place place{};
};

/// Gathers what the sources give; what is read later replaces what was read before.
class Reader {
public:
    void file(const std::string& path);
    /// The text of a file.
    void text(std::string_view text, const std::string& path);
    /// @param variables  "NAME=value"
    void environment(const std::vector<std::string>& variables);
    void code(const Map& values);
    /// What the tables cannot say, about all together.
    void check_together();

    const std::map<std::string, Given, std::less<>>& given() const noexcept { return given_; }
    const Diagnostics& diagnostics() const noexcept { return diagnostics_; }
    /// A file that was given is not there.
    bool file_is_missing() const noexcept { return missing_; }

private:
    /// @param prefix    before the names of the table, for full names
    /// @param document  null: not from a file
    void take(const core::SchemeEntry& table, const std::string& prefix, Map values, SettingOrigin origin, const std::string& file,
              const core::ParsedSource* source, const core::ParsedSource::Document* document);
    void error(std::string code, const std::string& file, Place place, std::string message, std::string hint);
    const Given* find(std::string_view name) const;

    std::map<std::string, Given, std::less<>> given_;
    Diagnostics diagnostics_;
    bool missing_{false};
};

}  // namespace qconn::settings
