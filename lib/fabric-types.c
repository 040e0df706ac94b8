/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-types.h"

#include <string.h>

#include "util.h"

static const struct {
    const char *name;
    uint16_t port;
} encaps[] = {
#define FABRIC_ENCAP(ENUM, NAME, PORT) [FABRIC_ENCAP_##ENUM] = { NAME, PORT },
    FABRIC_ENCAPS
#undef FABRIC_ENCAP
};

static const char *const policies[] = {
#define FABRIC_POLICY(ENUM, NAME) [FABRIC_POLICY_##ENUM] = NAME,
    FABRIC_POLICIES
#undef FABRIC_POLICY
};

static const struct {
    const char *name;
    bool usable;
} path_states[] = {
#define FABRIC_PATH_STATE(ENUM, NAME, USABLE) \
    [FABRIC_PATH_##ENUM] = { NAME, USABLE },
    FABRIC_PATH_STATES
#undef FABRIC_PATH_STATE
};

static const char *const protocols[] = {
#define FABRIC_PROTOCOL(ENUM, NAME) [FABRIC_PROTOCOL_##ENUM] = NAME,
    FABRIC_PROTOCOLS
#undef FABRIC_PROTOCOL
};

const char *
fabric_encap_to_string(enum fabric_encap encap)
{
    return encap < ARRAY_SIZE(encaps) ? encaps[encap].name : "unknown";
}

bool
fabric_encap_from_string(const char *s, enum fabric_encap *encap)
{
    for (size_t i = 0; i < ARRAY_SIZE(encaps); i++) {
        if (!strcmp(s, encaps[i].name)) {
            *encap = i;
            return true;
        }
    }
    return false;
}

uint16_t
fabric_encap_default_port(enum fabric_encap encap)
{
    return encaps[encap].port;
}

const char *
fabric_policy_to_string(enum fabric_policy policy)
{
    return policy < ARRAY_SIZE(policies) ? policies[policy] : "unknown";
}

bool
fabric_policy_from_string(const char *s, enum fabric_policy *policy)
{
    for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
        if (!strcmp(s, policies[i])) {
            *policy = i;
            return true;
        }
    }
    return false;
}

const char *
fabric_protocol_to_string(enum fabric_protocol protocol)
{
    return protocol < ARRAY_SIZE(protocols) ? protocols[protocol] : "unknown";
}

bool
fabric_protocol_from_string(const char *s, enum fabric_protocol *protocol)
{
    for (size_t i = FABRIC_PROTOCOL_NONE + 1; i < ARRAY_SIZE(protocols);
         i++) {
        if (!strcmp(s, protocols[i])) {
            *protocol = i;
            return true;
        }
    }
    return false;
}

const char *
fabric_path_state_to_string(enum fabric_path_state state)
{
    return path_states[state].name;
}

bool
fabric_path_state_is_usable(enum fabric_path_state state)
{
    return path_states[state].usable;
}
