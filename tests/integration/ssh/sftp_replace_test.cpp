// SPDX-License-Identifier: Apache-2.0
// Files that take the place of others at servers without posix-rename: whatever fails, one of the two is there, or the error says where.
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "sftp_fixture.hpp"
#include "support/error_of.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

/// Names with what they hold. It renames to free names only.
class Names {
public:
    enum Type { k_open_file = 3, k_look = 7, k_remove_file = 13, k_rename_file = 18 };
    enum class Then { answer, hold, leave };
    /// What becomes of a RENAME: a status to refuse it with, or nothing; and whether it is answered, with the next, or the server leaves.
    struct Fate {
        std::optional<std::size_t> refusal{};
        Then then{Then::answer};
    };
    using Judge = std::function<Fate(int number, const std::string& from, const std::string& to)>;  ///< counts RENAMEs from 1

    explicit Names(std::map<std::string, std::string> files, Judge judge = {})
        : files_{std::move(files)},
          judge_{std::move(judge)},
          server_{runtime_, [this](FakePeer& peer, int) { play(peer); }},
          client_{sftp::make_sftp_client(server_.source(), sftp_options(), runtime_)} {}
    Names(const Names&) = delete;
    Names& operator=(const Names&) = delete;
    ~Names() { client_.reset(); }
    SftpClient* operator->() const { return client_.get(); }

    std::map<std::string, std::string> files() const {
        const std::scoped_lock lock{mutex_};
        return files_;
    }
    /// "rename" and "remove", in their order.
    std::vector<std::string> done() const {
        const std::scoped_lock lock{mutex_};
        return done_;
    }
    /// Its file is also found under this name.
    void also(const std::string& name, const std::string& of) { aliases_[name] = of; }

private:
    std::string real(const std::string& name) const {
        const auto found = aliases_.find(name);
        return found == aliases_.end() ? name : found->second;
    }
    static std::string first(const std::string& body) { return body.substr(4, FakePeer::number(body)); }
    std::size_t rename(const std::string& from, const std::string& to) {
        const std::scoped_lock lock{mutex_};
        done_.emplace_back("rename");
        if (files_.count(from) == 0) return 2;
        if (files_.count(to) != 0) return 4;
        files_[to] = files_[from];
        files_.erase(from);
        return 0;
    }
    std::size_t remove(const std::string& name) {
        const std::scoped_lock lock{mutex_};
        done_.emplace_back("remove");
        return files_.erase(name) != 0 ? 0 : 2;
    }
    void make(const std::string& name) {
        const std::scoped_lock lock{mutex_};
        files_.emplace(name, "new");
    }
    void play(FakePeer& peer) {
        if (!peer.greet()) return;
        std::vector<std::pair<FakePeer::Request, std::size_t>> held;
        int renames = 0;
        while (const auto request = peer.next()) {
            const bool has_path =
                request->type == k_open_file || request->type == k_look || request->type == k_remove_file || request->type == k_rename_file;
            const std::string name = has_path ? real(first(request->body)) : "";
            std::size_t code = 0;
            Fate fate;
            switch (request->type) {
                case k_open_file: make(name); break;
                case k_look: code = files().count(name) != 0 ? 0 : 2; break;
                case k_remove_file: code = remove(name); break;
                case k_rename_file: {
                    const std::string to = real(first(request->body.substr(4 + FakePeer::number(request->body))));
                    if (judge_) fate = judge_(++renames, name, to);
                    code = fate.refusal ? *fate.refusal : rename(name, to);
                    break;
                }
                default: break;
            }
            if (fate.then == Then::leave) return;
            if (fate.then == Then::hold) {
                held.emplace_back(*request, code);
                continue;
            }
            for (const auto& [one, answer] : held) peer.status(one, answer);
            held.clear();
            if (request->type == k_open_file)
                peer.handle(*request, "h");
            else if (request->type == k_look && code == 0)
                peer.attrs(*request, 3);
            else
                peer.status(*request, code);
        }
    }

    mutable std::mutex mutex_;
    std::map<std::string, std::string> files_;  // under mutex_
    std::vector<std::string> done_;             // under mutex_
    std::map<std::string, std::string> aliases_;
    const Judge judge_;
    Runtime runtime_{RuntimeOptions{}};
    FakeServer server_;
    std::unique_ptr<SftpClient> client_;
};

using Map = std::map<std::string, std::string>;
using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("without posix-rename what is replaced goes aside, and goes last", "[sftp][integration]") {
    const Names names{{{"f", "old"}, {"a", "other"}}};
    names->write("f", "text");
    CHECK(wait_until([&] { return names.files() == Map{{"f", "new"}, {"a", "other"}}; }));
    CHECK(names.done() == Words{"rename", "rename", "remove"});
    names->write("g", "text");
    CHECK(names.done() == Words{"rename", "rename", "remove", "rename"});
    names->move("a", "f", true);
    CHECK(wait_until([&] { return names.files() == Map{{"f", "other"}, {"g", "new"}}; }));
    CHECK(names.done() == Words{"rename", "rename", "remove", "rename", "rename", "rename", "rename", "remove"});
    CHECK(failure_of([&] { names->free_space(); }).reason() == Reason::unsupported);
}

TEST_CASE("a replacement that the server refuses leaves the old file in its place", "[sftp][integration]") {
    const int refused = GENERATE(1, 2);
    const Names names{{{"f", "old"}},
                      [refused](int number, const std::string&, const std::string&) { return number == refused ? Names::Fate{3} : Names::Fate{}; }};
    CHECK(failure_of([&] { names->write("f", "text"); }).name() == "SFTP-PERMISSION");
    CHECK(names.files() == Map{{"f", "old"}});
}

TEST_CASE("where neither file has the name any more, the error says where they are, and both stay", "[sftp][integration]") {
    const auto then = GENERATE(Names::Then::answer, Names::Then::leave);
    const Names names{{{"f", "old"}}, [then](int number, const std::string&, const std::string&) {
                          if (number == 1) return Names::Fate{};
                          return Names::Fate{4, then};
                      }};
    const Error error = failure_of([&] { names->write("f", "text"); });
    const auto files = names.files();
    CHECK(files.size() == 2);
    CHECK(files.count("f") == 0);
    for (const auto& [name, text] : files) CHECK(has(error.what(), name));
}

TEST_CASE("a deadline between the renames puts the old file back", "[sftp][integration]") {
    const Names names{{{"f", "old"}}, [](int number, const std::string&, const std::string&) {
                          return number == 2 ? Names::Fate{4, Names::Then::hold} : Names::Fate{};
                      }};
    const Error error = failure_of([&] { names->write("f", "text", WriteMode::replace, 300ms); });
    CHECK(error.name() == "TIMEOUT");
    CHECK(has(error.what(), ".qconn-"));
    CHECK(wait_until([&] { return names.files() == Map{{"f", "old"}}; }));
}

TEST_CASE("a file that is moved to itself stays", "[sftp][integration]") {
    Names names{{{"a", "text"}, {"d/b", "more"}}};
    names.also(".//a", "a");
    for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{{"a", "a"}, {"a", "./a"}, {".//a", "a"}, {"d/b", "d//./b"}}) {
        names->move(from, to, true);
    }
    CHECK(names.done().empty());
    CHECK(failure_of([&] { names->move("none", "./none", true); }).reason() == Reason::not_found);
    // A link on the way, which no name tells.
    names.also("link/a", "a");
    CHECK(failure_of([&] { names->move("link/a", "a", true); }).reason() == Reason::not_found);
    CHECK(names.files() == Map{{"a", "text"}, {"d/b", "more"}});
}

TEST_CASE("OpenSSH's server without posix-rename replaces too", "[sftp][integration]") {
    const Files files{sftp_options(), {"-P", "posix-rename"}};
    files.dir.write("a", "old");
    files->write("a", "new");
    CHECK(files.read("a") == "new");
    files->move("a", "./a", true);
    CHECK(files.read("a") == "new");
    files.dir.write("b", "other");
    files->move("a", "b", true);
    CHECK(files.read("b") == "new");
    CHECK_FALSE(files.there("a"));
    std::filesystem::create_directory(files.dir / "d");
    CHECK(failure_of([&] { files->move("b", "d", true); }).reason() == Reason::exists);
    CHECK(files.there("d"));
    CHECK(wait_until([&] { return files.unfinished() == 0; }));
}
