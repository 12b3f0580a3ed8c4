package dev.carom.gossip;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.time.Duration;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class SwimPolicyBuilderTest {
    /** The Kotlin properties, by their getters; those of inline-class type are mangled. */
    private static Set<String> properties() {
        return Arrays.stream(SwimPolicy.class.getMethods())
                .map(Method::getName)
                .filter(name -> name.startsWith("get") && !name.equals("getClass"))
                .map(name -> name.substring(3, 4).toLowerCase() + name.substring(4).replaceAll("-.*", ""))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    @DisplayName("each property of the policy can be set and got")
    void complete() throws NoSuchMethodException {
        Set<String> properties = properties();
        assertEquals(22, properties.size(), properties.toString());
        for (String property : properties) {
            Class<?> type = SwimPolicyBuilder.class.getMethod(property).getReturnType();
            Method setter = SwimPolicyBuilder.class.getMethod(property, type);
            assertEquals(SwimPolicyBuilder.class, setter.getReturnType());
        }
        Set<String> own = Arrays.stream(SwimPolicyBuilder.class.getDeclaredMethods())
                .filter(method -> Modifier.isPublic(method.getModifiers()) && !Modifier.isStatic(method.getModifiers()))
                .map(Method::getName)
                .filter(name -> !name.equals("build"))
                .collect(Collectors.toCollection(TreeSet::new));
        assertEquals(properties, own);
    }

    @Test
    @DisplayName("the presets and the defaults are Kotlin's, read and made again")
    void presets() {
        assertEquals(new SwimPolicy().toString(), new SwimPolicyBuilder().build().toString());
        for (SwimPolicy policy : new SwimPolicy[] {
            SwimPolicy.lan(), SwimPolicy.wan(), SwimPolicy.local(), SwimPolicy.focaLan(100), SwimPolicy.focaWan(100)
        }) {
            assertEquals(policy.toString(), SwimPolicyBuilder.from(policy).build().toString());
        }
        assertEquals(Duration.ofSeconds(8), SwimPolicyBuilder.from(SwimPolicy.focaLan(100)).suspicionTimeout());
        assertNull(new SwimPolicyBuilder().suspicionTimeout());
    }

    @Test
    @DisplayName("every value set is the value got, from the builder and from the policy")
    void everyValue() {
        SwimPolicy policy = new SwimPolicyBuilder()
                .probePeriod(Duration.ofSeconds(2)).probeTimeout(Duration.ofSeconds(1)).relays(3).maxTransmissions(4)
                .suspicionTimeout(Duration.ofSeconds(5)).suspicionMultiplier(6).forgetDownAfter(Duration.ofSeconds(7))
                .maxPacketSize(800).notifyDown(false).announce(PeriodicPolicy.everyMillis(9_000, 10)).announceToDown(null)
                .gossip(PeriodicPolicy.everyMillis(11, 12)).seedInterval(Duration.ofSeconds(13))
                .syncInterval(SwimPolicyBuilder.INFINITE).streamTimeout(Duration.ofSeconds(15))
                .lifeguard(new LifeguardPolicy(16, 17, 14, false, true)).maxIncarnationJump(18).maxMembers(19)
                .maxBroadcasts(20).broadcastLifetime(Duration.ofSeconds(21)).relaysPerSecond(22).feedsPerSecond(23)
                .build();
        assertEquals("SwimPolicy(probePeriod=2s, probeTimeout=1s, relays=3, maxTransmissions=4, suspicionTimeout=5s, "
                + "suspicionMultiplier=6, forgetDownAfter=7s, maxPacketSize=800, notifyDown=false, "
                + "announce=10 every 9s, announceToDown=null, gossip=12 every 11ms, seedInterval=13s, "
                + "syncInterval=Infinity, streamTimeout=15s, lifeguard=LifeguardPolicy(maxLocalHealth=16, "
                + "suspicionFactor=17, confirmations=14, buddy=false, everyoneTimes=true), maxIncarnationJump=18, "
                + "maxMembers=19, maxBroadcasts=20, broadcastLifetime=21s, relaysPerSecond=22, feedsPerSecond=23)",
                policy.toString());
        assertEquals(policy.toString(), SwimPolicyBuilder.from(policy).build().toString());
        assertEquals(SwimPolicyBuilder.INFINITE, SwimPolicyBuilder.from(policy).syncInterval());
        assertEquals(9_000, policy.getAnnounce().getEveryMillis());
    }

    @Test
    @DisplayName("a value out of bounds is refused by build, with the value; null at once")
    void bounds() {
        SwimPolicyBuilder builder = new SwimPolicyBuilder().probeTimeout(Duration.ofSeconds(3));
        String message = assertThrows(IllegalArgumentException.class, builder::build).getMessage();
        assertTrue(message.contains("below probePeriod 1s, was 3s"), message);
        assertThrows(NullPointerException.class, () -> builder.probePeriod(null));
    }
}
