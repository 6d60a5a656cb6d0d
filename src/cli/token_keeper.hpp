// SPDX-License-Identifier: Apache-2.0
/// Where the refresh token of a log-in is kept for those who use the connection later.
#pragma once

#include <string>
#include <string_view>

#include <qconn/base/secret.hpp>

#include "cli/tool.hpp"

namespace qconn::cli {

/// The connection's definition, or the private file of secrets of this run; the definition where it has one already, as its own counts.
class TokenKeeper {
public:
    /// Tries it out without writing: what a log-in gives is lost where it cannot be kept.
    /// @throws Error where it could not be, saying what to do
    TokenKeeper(Tool& tool, const Registry& registry, std::string name);

    /// The file.
    const std::string& place() const noexcept { return place_; }
    /// Others than its owner can read it.
    bool is_open_to_others() const noexcept { return open_to_others_; }
    /// @throws Error as the constructor
    void keep(const Secret& refresh_token) const;

private:
    void write(std::string_view token, bool really) const;
    void write_definition(std::string_view token, bool really) const;
    void write_overlay(std::string_view token, bool really) const;

    Tool& tool_;
    const Registry& registry_;
    std::string name_;
    std::string place_;
    bool in_overlay_{false};
    bool open_to_others_{false};
};

}  // namespace qconn::cli
