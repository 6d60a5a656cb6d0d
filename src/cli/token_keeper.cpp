// SPDX-License-Identifier: Apache-2.0
#include "cli/token_keeper.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include <qconn/base/error.hpp>
#include <qconn/core/diagnostic.hpp>
#include <qconn/core/edit.hpp>
#include <qconn/core/secret_overlay.hpp>

#include "cli/changes.hpp"
#include "cli/in_file.hpp"

namespace qconn::cli {
namespace {

constexpr const char* k_option = "oauth2_refresh_token";

[[noreturn]] void cannot_keep(const std::string& name, const std::string& why) {
    throw Error{Errc::invalid_argument, "EDIT-ERROR", "the refresh token of \"" + name + "\" cannot be kept: " + why}
        .with_reason(Reason::bad_value)
        .with_connection(name);
}

/// Files are replaced by new ones beside them.
void require_writable(const std::string& name, const std::string& path) {
    const std::string directory = directory_of(real_path(path));
    if (::access(directory.c_str(), W_OK | X_OK) != 0)
        cannot_keep(name, "\"" + directory + "\" cannot be written to (" + std::strerror(errno) + "); run it as who may, or use --print");
}

}  // namespace

TokenKeeper::TokenKeeper(Tool& tool, const Registry& registry, std::string name) : tool_{tool}, registry_{registry}, name_{std::move(name)} {
    const std::string file = registry.info(name_).file;
    Value own;
    if (!is_legacy(file)) {
        const Definition definition = find_in_file(registry, name_).definition;
        if (const Value* written = definition.options.find(k_option)) own = *written;
    }
    if (own.is_string() && own.as_string().find("${") != std::string_view::npos)
        cannot_keep(name_, "its definition refers to it as " + std::string{own.as_string()} + "; put it there yourself (--print shows it), or take " +
                               k_option + " out of the definition");
    const bool is_own = own.is_string() && !own.as_string().empty();
    in_overlay_ = !tool.secrets_file.empty() && !is_own;
    if (in_overlay_ && !own.is_null()) cannot_keep(name_, std::string{"its definition has an empty "} + k_option + ", which counts; take it out");
    place_ = in_overlay_ ? tool.secrets_file : file;
    write("a-refresh-token", false);
    require_writable(name_, place_);
    struct stat status {};
    open_to_others_ = ::stat(place_.c_str(), &status) == 0 && (status.st_mode & (S_IRGRP | S_IROTH)) != 0;
}

void TokenKeeper::keep(const Secret& refresh_token) const { write(refresh_token.reveal(), true); }

void TokenKeeper::write(std::string_view token, bool really) const {
    if (token.find("${") != std::string_view::npos) cannot_keep(name_, "it holds '${', and would be taken for a reference");
    in_overlay_ ? write_overlay(token, really) : write_definition(token, really);
}

void TokenKeeper::write_definition(std::string_view token, bool really) const {
    require_unlocked(registry_, name_, "changed");
    const InFile found = find_in_file(registry_, name_);
    Definition definition = found.definition;
    Changes{definition, tool_.catalogue}.set(k_option, std::string{token});
    std::string text = edit_definition(found.file->text(), name_, definition);
    if (const Diagnostics errors = new_errors(tool_, found.path, found.file->text(), text, name_); !errors.empty())
        cannot_keep(name_, summary(errors.front()));
    if (really && text != found.file->text()) found.file->replace(text);
    wipe(text);
}

void TokenKeeper::write_overlay(std::string_view token, bool really) const {
    DefinitionFile file{place_};
    std::string text = set_overlay_entry(file.text(), name_, k_option, token);
    if (really && text != file.text()) file.replace(text);
    wipe(text);
}

}  // namespace qconn::cli
