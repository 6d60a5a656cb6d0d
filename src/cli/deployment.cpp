// SPDX-License-Identifier: Apache-2.0
#include "cli/deployment.hpp"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <functional>
#include <set>
#include <system_error>

#include <qconn/base/error.hpp>

#include "cli/tool.hpp"

namespace qconn::cli {
namespace {

namespace fs = std::filesystem;

bool holds_definitions(const std::string& name, const RegistryOptions& options) {
    if (name.starts_with('.')) return false;
    const auto ends_with = [&](const std::string& suffix) { return !suffix.empty() && name.size() > suffix.size() && name.ends_with(suffix); };
    return ends_with(options.suffix) || ends_with(options.legacy_suffix);
}

std::set<std::string> definition_files(const std::string& directory, const RegistryOptions& options) {
    std::error_code error;
    if (!fs::is_directory(directory, error)) throw NotFound("there is no directory \"" + printable(directory) + "\"");
    std::set<std::string> names;
    for (fs::directory_iterator at{directory, error}, end; !error && at != end; at.increment(error))
        if (std::string name = at->path().filename().string(); holds_definitions(name, options)) names.insert(std::move(name));
    if (error) throw make_error(Errc::system, "reading the directory \"" + directory + "\" failed: " + error.message()).with_reason(Reason::local);
    return names;
}

}  // namespace

std::string_view to_string(Deployment::Step step) noexcept {
    switch (step) {
        case Deployment::Step::add: return "add";
        case Deployment::Step::replace: return "replace";
        case Deployment::Step::remove: return "remove";
    }
    return "";
}

Deployment::Deployment(const std::string& from, const std::string& to, const RegistryOptions& options) {
    const std::set<std::string> next = definition_files(from, options);
    const std::set<std::string> now = definition_files(to, options);
    if (real_path(from) == real_path(to)) throw UsageError("\"" + printable(from) + "\" is the directory that is in place already");
    std::set<std::string> all = next;
    all.insert(now.begin(), now.end());
    for (const std::string& name : all) {
        File file{Step::replace, real_path(to) + "/" + name};
        if (next.count(name) != 0) file.after = std::make_unique<DefinitionFile>(from + "/" + name);
        if (now.count(name) != 0) file.before = std::make_unique<DefinitionFile>(file.path);
        if (file.before && file.after && file.before->text() == file.after->text()) continue;
        file.step = !file.before ? Step::add : file.after ? Step::replace : Step::remove;
        files_.push_back(std::move(file));
    }
}

void Deployment::carry_out() {
    std::vector<std::pair<std::string, std::function<void()>>> done;  // what undoes it
    const auto take = [&](File& file) {
        switch (file.step) {
            case Step::add:
                create_file(file.path, file.after->text(), file.after->mode());
                done.emplace_back(file.path, [path = file.path] {
                    if (::unlink(path.c_str()) != 0) throw std::system_error{errno, std::generic_category()};
                });
                return;
            case Step::replace: {
                auto former = std::make_shared<const Secret>(file.before->text());
                file.before->replace(file.after->text());
                done.emplace_back(file.path, [&file, former] { file.before->replace(former->reveal()); });
                return;
            }
            case Step::remove:
                file.before->remove();
                done.emplace_back(file.path, [&file] { create_file(file.path, file.before->text(), file.before->mode()); });
                return;
        }
    };
    try {
        for (File& file : files_)
            if (file.step != Step::remove) take(file);
        for (File& file : files_)
            if (file.step == Step::remove) take(file);
    } catch (const Error& error) {
        std::string left;
        for (auto one = done.rbegin(); one != done.rend(); ++one) {
            try {
                one->second();
            } catch (const std::exception& why) { left += "; \"" + one->first + "\" could not be put back as it was: " + why.what(); }
        }
        throw Error{error.code(), std::string{error.name()}, std::string{error.what()} + (left.empty() ? "; all files are as they were" : left)}
            .with_reason(error.reason());
    }
}

}  // namespace qconn::cli
