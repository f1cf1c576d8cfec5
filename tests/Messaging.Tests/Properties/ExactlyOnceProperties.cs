using FsCheck;
using FsCheck.Fluent;
using Microsoft.FSharp.Core;
using Shop.Testing;

namespace Shop.Messaging.Tests.Properties;

/// <summary>
/// Any sequence of deliver, duplicate, crash, rebalance, poison and redrive ends in the state of a sequential run. A failure shows the
/// shortest sequence that was found and its seed; <c>SHOP_TEST_SEED</c> (<c>seed,gamma,size</c>, as it is printed) plays that run again.
/// </summary>
public sealed class ExactlyOnceProperties(PostgresFixture postgres)
{
    private const int Sequences = 200, LongestSequence = 60;

    [Long]
    [Fact]
    public async Task Any_sequence_ends_in_the_state_of_a_sequential_run()
    {
        await using var endpoint = await EndpointSimulation.StartAsync(await postgres.CreateDatabaseAsync());
        var config = Config.QuickThrowOnFailure.WithMaxTest(Sequences).WithStartSize(5).WithEndSize(LongestSequence);
        if (Environment.GetEnvironmentVariable("SHOP_TEST_SEED")?.Split(',') is [var seed, var gamma, var size])
            config = config.WithReplay(FSharpOption<Replay>.Some(new(new Rnd(ulong.Parse(seed), ulong.Parse(gamma)), int.Parse(size))));

        // FsCheck's runner waits for each sequence
        await Task.Factory.StartNew(() => Check.One(config, Prop.ForAll(Step.Sequences, endpoint.RunAsync)), TaskCreationOptions.LongRunning);
    }
}
