// SPDX-License-Identifier: Apache-2.0
// remember DIRECTORY CONNECTION KEY VALUE: loads the module `redis` and the definitions in the directory, sets a value and reads it back.
#include <cstdio>
#include <string>

#include <qconn/core/module.hpp>
#include <qconn/qconn.hpp>

#include "redis_client.hpp"

int main(int argc, char** argv) {
    if (argc != 5) return 2;
    try {
        qconn::Catalogue catalogue = qconn::builtin_catalogue();
        qconn::load_module(catalogue, "redis");
        qconn::Registry registry{qconn::RegistryOptions{.catalogue = &catalogue}};
        registry.load(argv[1]);

        auto store = registry.get<redis::RedisClient>(argv[2]);
        store->set(argv[3], argv[4]);
        std::printf("%s\n", store->get(argv[3]).value_or("nothing").c_str());
        return 0;
    } catch (const qconn::Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
