// SPDX-License-Identifier: Apache-2.0
#include "cli/extract_target.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>

#include <qconn/base/error.hpp>
#include <qconn/core/secret_overlay.hpp>

#include "cli/definition_file.hpp"
#include "cli/tool.hpp"

namespace qconn::cli {
namespace {

namespace fs = std::filesystem;

std::string identifier(std::string_view text, bool upper) {
    std::string out;
    for (const char c : text) {
        const bool lower = c >= 'a' && c <= 'z';
        const bool fits = lower || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
        if (upper)
            out += !fits ? '_' : lower ? static_cast<char>(c - 'a' + 'A') : c;
        else
            out += fits || c == '-' || c == '.' ? c : '_';
    }
    if (out.empty() || (upper && out.front() >= '0' && out.front() <= '9') || out.front() == '.') out.insert(0, "_");
    return out;
}

/// Lines of one file for the environment, or a file each.
class References final : public Target {
public:
    References(bool is_env, std::string place) : is_env_{is_env}, place_{std::move(place)} {
        if (is_env_) {
            struct stat status {};
            if (::lstat(place_.c_str(), &status) == 0) throw UsageError("\"" + printable(place_) + "\" is there already; name a new file");
        } else {
            std::error_code error;
            if (!fs::is_directory(place_, error)) throw NotFound("there is no directory \"" + printable(place_) + "\" for the files");
            place_ = real_path(place_);
            if (place_.find_first_of("{}") != std::string::npos) throw UsageError("a directory with braces in its name cannot be referred to");
        }
    }
    ~References() override {
        if (!kept_)
            for (const std::string& path : made_) ::unlink(path.c_str());
        if (is_env_)
            for (const auto& [name, n] : names_) ::unsetenv(name.c_str());
    }

    std::string take(Moved& moved, Definition& definition, const LiteralSecret& secret, const Scheme* scheme) override {
        name(moved);
        replace_secret(definition, secret, moved.reference, scheme);
        return {};
    }
    void write(const std::vector<Moved>& secrets) override {
        std::string lines;
        for (const Moved& one : secrets) {
            std::string text{one.value.reveal()};
            if (is_env_) {
                ::setenv(one.name.c_str(), text.c_str(), 1);
                lines.append(one.name).append("=").append(text).append("\n");
            } else {
                make(place_ + "/" + one.name, text += '\n');
            }
            wipe(text);
        }
        if (is_env_) make(place_, lines);
        wipe(lines);
    }
    void keep() noexcept override { kept_ = true; }
    std::string told() const override {
        return " to " + printable(place_) + (is_env_ ? "; its variables have to be set where the connections are used" : "");
    }

private:
    void name(Moved& secret) {
        std::string base = identifier(secret.connection + (is_env_ ? "_" : ".") + secret.where, is_env_);
        const int number = names_[base]++;
        if (number > 0) names_[base += (is_env_ ? "_" : ".") + std::to_string(number + 1)]++;
        secret.name = base;
        secret.reference = is_env_ ? "${env:" + base + "}" : "${file:" + place_ + "/" + base + "}";
        if (is_env_ && secret.value.reveal().find_first_of(std::string_view{"\n\r\0", 3}) != std::string_view::npos)
            throw UsageError(secret.where + " of " + printable(secret.connection) +
                             " has more than one line, which no NAME=VALUE can hold; use --to file:DIR");
        if (is_env_ && std::getenv(base.c_str()))
            throw UsageError("the environment has a variable " + base + " already, so it cannot be tried out; unset it for this run");
    }
    void make(const std::string& path, std::string_view text) {
        create_file(path, text, 0600);
        made_.push_back(path);
    }

    bool is_env_{false};
    std::string place_;
    std::map<std::string, int> names_;
    std::vector<std::string> made_;
    bool kept_{false};
};

/// Entries of a private file, which need not be there yet.
class Overlay final : public Target {
public:
    explicit Overlay(const std::string& place) : overlay_{place} {
        struct stat status {};
        if (::lstat(place.c_str(), &status) != 0) return;
        if (const Diagnostics problems = overlay_.read(); !problems.empty())
            throw Error{Errc::invalid_argument, "EDIT-ERROR",
                        summary(problems.front()) + (problems.front().hint.empty() ? "" : "; " + problems.front().hint)}
                .with_reason(Reason::bad_value);
        file_ = std::make_unique<DefinitionFile>(place);
        before_ = file_->text();
    }
    ~Overlay() override {
        try {
            if (written_ && !kept_ && file_) file_->replace(before_);
            if (written_ && !kept_ && !file_) ::unlink(overlay_.path().c_str());
        } catch (const std::exception&) {
            // Who changed it meanwhile has the entries in it, and the definitions still have them too.
        }
        wipe(before_);
    }

    std::string take(Moved& moved, Definition& definition, const LiteralSecret& secret, const Scheme* scheme) override {
        moved.name = remove_secret(definition, secret, scheme);
        moved.reference = "${local:" + moved.name + "}";
        return moved.name.empty() ? "a file of secrets has no place for it" : "";
    }
    void write(const std::vector<Moved>& secrets) override {
        std::string text = before_;
        for (const Moved& one : secrets) {
            std::string next = add_overlay_entry(text, one.connection, one.name, one.value.reveal());
            wipe(text);
            text = std::move(next);
        }
        if (file_)
            file_->replace(text);
        else
            create_file(overlay_.path(), text, 0600);
        written_ = true;
        wipe(text);
    }
    void keep() noexcept override { kept_ = true; }
    Definition in_use(Definition definition, const Catalogue& catalogue) const override {
        Diagnostics findings;  // resolving it tells
        overlay_.read();
        overlay_.complete(definition, catalogue.find(definition.scheme()), findings);
        return definition;
    }
    void make_known(Catalogue& catalogue) const override { catalogue.add(overlay_.provider()); }
    std::string told() const override {
        return " to " + printable(overlay_.path()) + "; --secrets or QCONN_SECRETS names it where the connections are used";
    }

private:
    const SecretOverlay overlay_;
    std::unique_ptr<DefinitionFile> file_;
    std::string before_;
    bool written_{false};
    bool kept_{false};
};

}  // namespace

std::unique_ptr<Target> make_target(const std::string& to, const std::string& overlay) {
    const auto colon = to.find(':');
    const std::string kind = to.substr(0, colon);
    const std::string place = colon == std::string::npos ? std::string{} : to.substr(colon + 1);
    if (to == "overlay" && overlay.empty()) throw UsageError("--to overlay needs the file: overlay:FILE, --secrets FILE or QCONN_SECRETS");
    if (to == "overlay") return std::make_unique<Overlay>(overlay);
    if (!place.empty() && kind == "overlay") return std::make_unique<Overlay>(place);
    if (!place.empty() && (kind == "env" || kind == "file")) return std::make_unique<References>(kind == "env", place);
    throw UsageError("--to is env:FILE, file:DIR or overlay[:FILE], not '" + printable(to) + "'");
}

}  // namespace qconn::cli
