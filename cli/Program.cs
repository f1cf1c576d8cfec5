using System.CommandLine;
using Shop.Cli;
using Shop.Cli.Events;

var shop = new RootCommand("Looks into a running shop.") { EventsCommand.Create() };
shop.HelpName = "./shop";
try
{
    return await shop.Parse(args).InvokeAsync(new() { EnableDefaultExceptionHandler = false });
}
catch (CommandFailedException failure)
{
    Console.Error.WriteLine(failure.Message);
    return 1;
}
